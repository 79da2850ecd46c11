// SPDX-License-Identifier: Apache-2.0

package operators_test

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

// TestC29ALateControllerWhoseKindIsMissingStartsWhenItIsInstalled, and the others go on meanwhile.
func TestC29ALateControllerWhoseKindIsMissingStartsWhenItIsInstalled(t *testing.T) {
	e := newEnv(t)
	crd, resource := gadget("widgets", "Widget")
	m := controller.NewManager(unlimited(plane.Config()), controller.ManagerOptions{SyncTimeout: time.Second})
	maps := make(chan string, 10)
	controller.New(m, "maps", controller.Standalone[*corev1.ConfigMap](
		coreinformers.NewTypedConfigMapInformer(kubernetes.NewForConfigOrDie(m.Config()), e.namespace, 0, nil),
		controller.InformerOptions{}), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		maps <- cm.Name
		return controller.Result{}, nil
	}, controller.Options{})
	r := e.run(m)
	e.eventually("the manager is ready", func() bool { return m.Ready() == nil })

	informer := dynamicinformer.NewFilteredDynamicInformer(
		dynamic.NewForConfigOrDie(m.Config()), resource, e.namespace, 0, cache.Indexers{}, nil).Informer()
	widgets := make(chan string, 10)
	controller.New(m, "widget", controller.Standalone[*unstructured.Unstructured](informer, controller.InformerOptions{
		Kind: schema.GroupKind{Group: resource.Group, Kind: "Widget"},
	}), func(_ context.Context, u *unstructured.Unstructured) (controller.Result, error) {
		widgets <- u.GetName()
		return controller.Result{}, nil
	}, controller.Options{})
	time.Sleep(3 * time.Second) // three times the time limit
	err := m.Ready()
	for _, want := range []string{"1 of 2 controllers", `controller "widget" waits`, "is its CustomResourceDefinition installed?"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Ready: %v, without %q", err, want)
		}
	}
	e.addConfigMap(e.namespace, "later")
	e.eventually("the other controller goes on", func() bool { return <-maps == "later" })

	admin := dynamic.NewForConfigOrDie(unlimited(plane.Config()))
	crds := admin.Resource(schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
	})
	if _, err := crds.Create(t.Context(), crd, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "operators.example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": "w"},
	}}
	e.eventually("the kind is served", func() bool {
		_, err := admin.Resource(resource).Namespace(e.namespace).Create(t.Context(), object, metav1.CreateOptions{})
		return err == nil
	})
	if name := <-widgets; name != "w" {
		t.Errorf("%s was reconciled", name)
	}
	e.eventually("the manager is ready again", func() bool { return m.Ready() == nil })
	r.end()
	if err := crds.Delete(t.Context(), crd.GetName(), metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}
