// SPDX-License-Identifier: Apache-2.0

package virtualtest_test

import (
	"testing"

	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
	"github.com/lanyard-k8s/lanyard/internal/apitranscript"
)

// The answers of a real API server are kept, so that each run compares them without one.
func TestTheAPIInMemoryAnswersAsARealOneDid(t *testing.T) {
	api := virtualtest.NewAPI(t, virtualtest.Resource{Group: "example.com", Version: "v1", Kind: "Gadget"})
	want, err := apitranscript.Answers()
	if err != nil {
		t.Fatal(err)
	}
	got := apitranscript.Play(t.Context(), api.Config())
	if len(got) != len(want) {
		t.Errorf("there are %d answers, want %d", len(got), len(want))
	}
	for i := range min(len(want), len(got)) {
		if got[i] != want[i] {
			t.Errorf("line %d:\na real one: %s\nin memory:  %s", i, want[i], got[i])
		}
	}
}
