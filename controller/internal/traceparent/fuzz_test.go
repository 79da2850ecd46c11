// SPDX-License-Identifier: Apache-2.0

package traceparent_test

import (
	"testing"

	"github.com/lanyard-k8s/lanyard/controller/internal/traceparent"
)

// FuzzParse: an annotation that somebody else wrote is refused, or is a sampled span that is written as it was read.
func FuzzParse(f *testing.F) {
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
	f.Add("ff-00000000000000000000000000000000-0000000000000000-03")
	f.Fuzz(func(t *testing.T, value string) {
		sc, ok := traceparent.Parse(value)
		if !ok {
			if sc.IsValid() {
				t.Errorf("%q is refused and read as %v", value, sc)
			}
			return
		}
		again, ok := traceparent.Parse(traceparent.Format(sc))
		if !ok || !again.Equal(sc) || !sc.IsValid() || !sc.IsSampled() || !sc.IsRemote() {
			t.Errorf("%q is read as %v, and that as %v", value, sc, again)
		}
	})
}
