// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
)

func TestSamplesAreFlundersOfNoParticularNamespace(t *testing.T) {
	objects := build(t, config+"/samples")
	flunders := all[wardlev1beta1.Flunder](t, objects, "Flunder")
	if len(flunders) != len(objects) {
		t.Errorf("%d of %d samples are not Flunders", len(objects)-len(flunders), len(objects))
	}
	references := map[string]string{}
	for _, f := range flunders {
		if want := wardlev1beta1.SchemeGroupVersion.String(); f.APIVersion != want {
			t.Errorf("%s is %s, want %s", f.Name, f.APIVersion, want)
		}
		if f.Namespace != "" {
			t.Errorf("%s is in the namespace %s", f.Name, f.Namespace)
		}
		references[f.Name] = f.Spec.FlunderReference
	}
	want := map[string]string{
		"base": "", "middle": "base", "front": "middle",
		"ping": "pong", "pong": "ping",
		"misspelt": "",
	}
	if diff := cmp.Diff(want, references); diff != "" {
		t.Error("the references are not the story that the samples tell:", diff)
	}
}
