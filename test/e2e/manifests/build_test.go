// SPDX-License-Identifier: Apache-2.0

// Package manifests_test tests what config/ builds, and that a cluster takes it.
package manifests_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryKustomizationBuildsWithoutWarnings(t *testing.T) {
	dirs := kustomizations(t)
	for _, name := range []string{"crd", "rbac", "manager", "default", "samples"} {
		if dir := filepath.Join(config, name); !slices.Contains(dirs, dir) {
			t.Errorf("%s is missing", dir)
		}
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if len(build(t, dir)) == 0 {
				t.Error("it is empty")
			}
		})
	}
}

func TestDefaultIsAllThatAClusterNeedsAndNoSamples(t *testing.T) {
	var got []string
	for _, o := range build(t, config+"/default") {
		got = append(got, strings.Trim(o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName(), "/"))
	}
	want := []string{
		"Namespace /lanyard-system",
		"CustomResourceDefinition /flunders.wardle.example.com",
		"ServiceAccount lanyard-system/flunder-controller",
		"Role lanyard-system/flunder-controller",
		"ClusterRole /flunder-controller",
		"ClusterRole /flunder-editor",
		"ClusterRole /flunder-viewer",
		"RoleBinding lanyard-system/flunder-controller",
		"ClusterRoleBinding /flunder-controller",
		"Deployment lanyard-system/flunder-controller",
		"ValidatingAdmissionPolicy /flunder-controller-fence",
		"ValidatingAdmissionPolicy /flunder-controller-fence-lease",
		"ValidatingAdmissionPolicyBinding /flunder-controller-fence",
		"ValidatingAdmissionPolicyBinding /flunder-controller-fence-closed",
		"ValidatingAdmissionPolicyBinding /flunder-controller-fence-lease",
		"Lease lanyard-system/sample-controller",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnOverlaySetsNamespaceAndImage(t *testing.T) {
	objects := build(t, "testdata/overlay")
	for _, o := range objects {
		if ns := o.GetNamespace(); ns != "" && ns != "elsewhere" {
			t.Errorf("%s %s stays in the namespace %s", o.GetKind(), o.GetName(), ns)
		}
		if o.GetKind() == "Namespace" && o.GetName() != "elsewhere" {
			t.Errorf("the namespace is still called %s", o.GetName())
		}
	}
	checkNamesLineUp(t, objects)
	checkFence(t, objects)
	checkLease(t, objects)
	image := manager(t, objects).Spec.Template.Spec.Containers[0].Image
	if want := "registry.example.com/team/flunder-controller:v1.2.3"; image != want {
		t.Errorf("the image is %s, want %s", image, want)
	}
}
