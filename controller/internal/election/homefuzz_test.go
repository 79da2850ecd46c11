// SPDX-License-Identifier: Apache-2.0

package election

import (
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// FuzzHomeOf: what anybody may write into the annotations of a Lease says where its holder runs only if it names
// the holder and its process.
func FuzzHomeOf(f *testing.F) {
	f.Add(`{"identity":"a","process":"1","namespace":"n","pod":"p","uid":"u","name":"c"}`, "1", "a")
	f.Add(`{"Identity":"a","Process":"1","Namespace":"n","Pod":"p","UID":"u","Name":"c","Instance":"i"}`, "1", "a")
	f.Add(`[]`, "", "")
	f.Add(`null`, "1", "a")
	f.Fuzz(func(t *testing.T, at, process, holder string) {
		lease := &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{HolderAnnotation: at, ProcessAnnotation: process}},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: ptr.To(holder)},
		}
		home, ok := homeOf(lease)
		if !ok {
			return
		}
		if holder == "" || process == "" || home.Namespace == "" || home.Pod == "" || home.UID == "" || home.Name == "" {
			t.Errorf("%q with the process %q and the holder %q leads to %+v", at, process, holder, home)
		}
		if home.isFollowedBy(&home) {
			t.Errorf("%+v follows itself", home)
		}
	})
}
