// SPDX-License-Identifier: Apache-2.0

package operators_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

// gadget returns the CRD of a kind without Go types, and its resource.
func gadget(plural, kind string) (*unstructured.Unstructured, schema.GroupVersionResource) {
	resource := schema.GroupVersionResource{Group: "operators.example.com", Version: "v1", Resource: plural}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": plural + "." + resource.Group},
		"spec": map[string]any{
			"group": resource.Group, "scope": "Namespaced", "names": map[string]any{"plural": plural, "kind": kind},
			"versions": []any{map[string]any{
				"name": resource.Version, "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object"}},
			}},
		},
	}}, resource
}

// TestC29AKindThatIsInstalledLaterIsReconciledUntilItGoes, twice.
func TestC29AKindThatIsInstalledLaterIsReconciledUntilItGoes(t *testing.T) {
	e := newEnv(t)
	crds := dynamic.NewForConfigOrDie(unlimited(plane.Config())).Resource(schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
	})
	crd, resource := gadget("gadgets", "Gadget")
	m := controller.NewManager(unlimited(plane.Config()), controller.ManagerOptions{})
	client := dynamic.NewForConfigOrDie(m.Config())
	reconciled := make(chan string, 10)
	starts := make(chan controller.Stopper, 10)
	m.WhileServed(resource, func() []controller.Stopper {
		informer := dynamicinformer.NewFilteredDynamicInformer(client, resource, e.namespace, 0, cache.Indexers{}, nil).Informer()
		c := controller.New(m, "gadget", controller.Standalone[*unstructured.Unstructured](informer, controller.InformerOptions{
			Kind: schema.GroupKind{Group: resource.Group, Kind: "Gadget"},
		}), func(_ context.Context, u *unstructured.Unstructured) (controller.Result, error) {
			reconciled <- u.GetName()
			return controller.Result{}, nil
		}, controller.Options{})
		starts <- c
		return []controller.Stopper{c}
	})
	r := e.run(m)
	e.eventually("the manager is ready", func() bool { return m.Ready() == nil })
	before := runtime.NumGoroutine()
	admin := dynamic.NewForConfigOrDie(unlimited(plane.Config())).Resource(resource).Namespace(e.namespace)
	for i := range 2 {
		if _, err := crds.Create(t.Context(), crd, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		c := <-starts
		object := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "operators.example.com/v1", "kind": "Gadget", "metadata": map[string]any{"name": fmt.Sprint("g", i)},
		}}
		if _, err := admin.Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if name := <-reconciled; name != object.GetName() {
			t.Errorf("%s was reconciled", name)
		}
		if err := crds.Delete(t.Context(), crd.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		<-c.Stopped()
		e.eventually("the CRD is gone", func() bool {
			_, err := crds.Get(t.Context(), crd.GetName(), metav1.GetOptions{})
			return err != nil
		})
		if err := m.Ready(); err != nil {
			t.Error(err)
		}
	}
	e.eventually("goroutines have ended", func() bool { return runtime.NumGoroutine() <= before+5 })
	r.end()
}
