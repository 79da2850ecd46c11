// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/metadata"
	metadatafake "k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
)

// exampleGadgets stands for dynamic.NewForConfigOrDie(m.Config()).
func exampleGadgets(resource schema.GroupVersionResource) dynamic.Interface {
	return dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{resource: "GadgetList"},
		&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "example.com/v1", "kind": "Gadget",
			"metadata": map[string]any{"namespace": "default", "name": "lamp"},
			"spec":     map[string]any{"colour": "red"},
		}})
}

// exampleMetadata stands for metadata.NewForConfigOrDie(m.Config()).
func exampleMetadata(objects ...runtime.Object) metadata.Interface {
	scheme := metadatafake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		panic(err)
	}
	return metadatafake.NewSimpleMetadataClient(scheme, objects...)
}

// Objects of a kind that has no Go type are reconciled as unstructured ones. Their kind is stated.
func ExampleStandalone() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	resource := schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "gadgets"}
	client := exampleGadgets(resource) // in a program: a dynamic client of m.Config()
	gadgets := controller.Standalone[*unstructured.Unstructured](
		dynamicinformer.NewFilteredDynamicInformer(client, resource, metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer(),
		controller.InformerOptions{Kind: schema.GroupKind{Group: "example.com", Kind: "Gadget"}})
	reconcile := func(_ context.Context, gadget *unstructured.Unstructured) (controller.Result, error) {
		colour, _, err := unstructured.NestedString(gadget.Object, "spec", "colour")
		fmt.Println(gadget.GetKind(), gadget.GetName(), "is", colour)
		done()
		return controller.Result{}, err
	}
	controller.New(m, "gadget", gadgets, reconcile, controller.Options{})
	fmt.Println(m.Run(ctx))
	// Output:
	// Gadget lamp is red
	// <nil>
}

// A cache of the metadata of owned objects is enough to wake their owners, and takes less memory.
func ExampleOwns_metadata() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	client := exampleMetadata(&metav1.PartialObjectMetadata{ // in a program: a metadata client of m.Config()
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "owned", OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", Controller: ptr.To(true)},
		}},
	})
	owned := controller.Standalone[*metav1.PartialObjectMetadata](
		metadatainformer.NewFilteredMetadataInformer(client, pods, metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer(),
		controller.InformerOptions{Kind: schema.GroupKind{Kind: "Pod"}})
	reconcile := func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		fmt.Println("reconcile", cm.Name)
		done()
		return controller.Result{}, nil
	}
	c := controller.New(m, "owners", exampleMaps(exampleMap("owner")), reconcile, controller.Options{})
	controller.Owns(c, owned)
	fmt.Println(m.Run(ctx))
	// Output:
	// reconcile owner
	// <nil>
}
