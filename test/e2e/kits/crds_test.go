// SPDX-License-Identifier: Apache-2.0

package kits_test

import (
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/crds"
)

// crd returns a definition with versions, of which those that end with ! are not served.
func crd(plural, kind string, versions ...string) *unstructured.Unstructured {
	var all []any
	for i, v := range versions {
		name, unserved := strings.CutSuffix(v, "!")
		all = append(all, map[string]any{
			"name": name, "served": !unserved, "storage": i == 0, "subresources": map[string]any{"status": map[string]any{}},
			"schema": map[string]any{"openAPIV3Schema": map[string]any{
				"type": "object", "x-kubernetes-preserve-unknown-fields": true,
			}},
		})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": plural + ".example.com"},
		"spec": map[string]any{
			"group": "example.com", "scope": "Namespaced", "names": map[string]any{"plural": plural, "kind": kind},
			"versions": all,
		},
	}}
}

func resource(plural, version string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "example.com", Version: version, Resource: plural}
}

// TestWhatIsInstalledIsServed: the first call after Install succeeds, for each served version, twenty times.
func TestWhatIsInstalledIsServed(t *testing.T) {
	onEachVersion(t, func(t *testing.T, config *rest.Config) {
		client := dynamic.NewForConfigOrDie(config)
		definitions := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
		for range 20 {
			began := time.Now()
			if err := crds.InstallObjects(t.Context(), config, crd("gadgets", "Gadget", "v1", "v1beta1", "v1alpha1!")); err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			for _, version := range []string{"v1", "v1beta1"} {
				o := &unstructured.Unstructured{Object: map[string]any{
					"apiVersion": "example.com/" + version, "kind": "Gadget", "metadata": map[string]any{"name": version},
				}}
				if _, err := client.Resource(resource("gadgets", version)).Namespace("default").Create(t.Context(), o, metav1.CreateOptions{}); err != nil {
					t.Fatalf("%s after %v: %v", version, took, err)
				}
			}
			if _, err := client.Resource(resource("gadgets", "v1alpha1")).List(t.Context(), metav1.ListOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("a version that is not served: %v", err)
			}
			// Its objects are still to be deleted when the next round begins.
			if err := definitions.Delete(t.Context(), "gadgets.example.com", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestNamesThatAreTakenAndDefinitionsThatAreRefusedAreErrors(t *testing.T) {
	onEachVersion(t, func(t *testing.T, config *rest.Config) {
		if err := crds.Install(t.Context(), config, "../../../config/crd/bases", "../../crds/testdata/widgets.yaml"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err := crds.InstallObjects(t.Context(), config, crd("contraptions", "Widget", "v1"))
		for _, want := range []string{"install CRD contraptions.example.com", "NamesAccepted is False", "already in use"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not have %q: %v", want, err)
			}
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		invalid := crd("things", "Thing", "v1")
		invalid.Object["spec"].(map[string]any)["scope"] = "Everywhere"
		if err := crds.InstallObjects(t.Context(), config, invalid); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "things.example.com") {
			t.Errorf("a scope that there is not: %v", err)
		}
		// More versions, in a definition that is there.
		if err := crds.InstallObjects(t.Context(), config, crd("widgets", "Widget", "v1", "v1beta1", "v1alpha1", "v2")); err != nil {
			t.Error(err)
		}
		if _, err := dynamic.NewForConfigOrDie(config).Resource(resource("widgets", "v2")).List(t.Context(), metav1.ListOptions{}); err != nil {
			t.Error(err)
		}
	})
}
