// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
)

// The kinds of the objects in these tests, which are in no scheme.
var (
	apps    = schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "apps"}
	appKind = schema.GroupKind{Group: "example.com", Kind: "App"}
	jobs    = schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "jobs"}
	jobKind = schema.GroupKind{Group: "example.com", Kind: "Job"}
)

// customObject is an object of one of these kinds; owner is an apiVersion, a kind and a name.
func customObject(kind schema.GroupKind, name string, owner ...string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind.WithVersion("v1"))
	object.SetNamespace("default")
	object.SetName(name)
	object.SetResourceVersion("1")
	if len(owner) > 0 {
		object.SetOwnerReferences([]metav1.OwnerReference{
			{APIVersion: owner[0], Kind: owner[1], Name: owner[2], UID: "u", Controller: ptr.To(true)},
		})
	}
	return object
}

func metadataOf(object *unstructured.Unstructured) *metav1.PartialObjectMetadata {
	partial := &metav1.PartialObjectMetadata{}
	partial.SetGroupVersionKind(object.GroupVersionKind())
	partial.SetNamespace(object.GetNamespace())
	partial.SetName(object.GetName())
	partial.SetOwnerReferences(object.GetOwnerReferences())
	partial.SetResourceVersion("1")
	return partial
}

func dynamicClient(objects ...runtime.Object) *dynamicfake.FakeDynamicClient {
	return dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{apps: "AppList", jobs: "JobList"}, objects...)
}

func metadataClient(t *testing.T, objects ...runtime.Object) *metadatafake.FakeMetadataClient {
	t.Helper()
	scheme := metadatafake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return metadatafake.NewSimpleMetadataClient(scheme, objects...)
}

type unstructuredInformer = cache.TypedSharedIndexInformer[*unstructured.Unstructured]

func dynamicInformer(client *dynamicfake.FakeDynamicClient, resource schema.GroupVersionResource) unstructuredInformer {
	factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
	return controller.Standalone[*unstructured.Unstructured](factory.ForResource(resource).Informer(), controller.InformerOptions{})
}

type metadataInformer = cache.TypedSharedIndexInformer[*metav1.PartialObjectMetadata]

func partialInformer(client *metadatafake.FakeMetadataClient, resource schema.GroupVersionResource) metadataInformer {
	factory := metadatainformer.NewSharedInformerFactory(client, 0)
	return controller.Standalone[*metav1.PartialObjectMetadata](factory.ForResource(resource).Informer(), controller.InformerOptions{})
}

// woken counts the reconciles of an object by name.
type woken map[string]*atomic.Int32

func newWoken(names ...string) woken {
	w := woken{}
	for _, name := range names {
		w[name] = &atomic.Int32{}
	}
	return w
}

func reconcileOf[T controller.Object](w woken) controller.ReconcileFunc[T] {
	return func(_ context.Context, object T) (controller.Result, error) {
		w[object.GetName()].Add(1)
		return controller.Result{}, nil
	}
}

func (w woken) expect(t *testing.T, what string, want map[string]int32) {
	t.Helper()
	synctest.Wait()
	for name, n := range want {
		if got := w[name].Load(); got != n {
			t.Errorf("%s: %s was reconciled %d times, want %d", what, name, got, n)
		}
	}
}

// TestC30UnstructuredObjectsHaveAKindOfTheirOwn is case 3, for New, Owns and Watches.
func TestC30UnstructuredObjectsHaveAKindOfTheirOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := dynamicClient(customObject(appKind, "owner"), customObject(appKind, "named"))
		w := newWoken("owner", "named")
		m := newManager(controller.ManagerOptions{})
		c := controller.New(m, "c", dynamicInformer(client, apps), reconcileOf[*unstructured.Unstructured](w),
			controller.Options{}, controller.WithKind[*unstructured.Unstructured](appKind))
		owned := dynamicInformer(client, jobs)
		controller.Owns(c, owned, controller.WithKind[*unstructured.Unstructured](jobKind))
		controller.Watches(c, owned, func(_ context.Context, job *unstructured.Unstructured) []controller.Request {
			name, _, _ := unstructured.NestedString(job.Object, "spec", "for")
			return []controller.Request{{Namespace: "default", Name: name}}
		}, controller.WithFilter(func(_ context.Context, e controller.Event[*unstructured.Unstructured]) bool {
			_, found, _ := unstructured.NestedString(e.New.Object, "spec", "for")
			return found
		}))
		start(t, t.Context(), m)
		w.expect(t, "at the start", map[string]int32{"owner": 1, "named": 1})
		create := func(job *unstructured.Unstructured) {
			t.Helper()
			if _, err := client.Resource(jobs).Namespace("default").Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		create(customObject(jobKind, "a", "example.com/v1beta7", "App", "owner"))
		w.expect(t, "an owned object, of another version", map[string]int32{"owner": 2, "named": 1})
		create(customObject(jobKind, "b", "v1", "App", "owner"))
		create(customObject(jobKind, "c", "example.com/v1", "Job", "owner"))
		w.expect(t, "owned by another group's kind, and by another kind", map[string]int32{"owner": 2, "named": 1})
		mapped := customObject(jobKind, "d")
		mapped.Object["spec"] = map[string]any{"for": "named"}
		create(mapped)
		w.expect(t, "a mapped object", map[string]int32{"owner": 2, "named": 2})
	})
}

func TestC30MetadataOnlyObjectsHaveAKindOfTheirOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := metadataClient(t, metadataOf(customObject(appKind, "owner")), metadataOf(customObject(appKind, "named")))
		w := newWoken("owner", "named")
		m := newManager(controller.ManagerOptions{})
		c := controller.New(m, "c", partialInformer(client, apps), reconcileOf[*metav1.PartialObjectMetadata](w),
			controller.Options{}, controller.WithKind[*metav1.PartialObjectMetadata](appKind))
		owned := partialInformer(client, jobs)
		controller.Owns(c, owned, controller.WithKind[*metav1.PartialObjectMetadata](jobKind))
		controller.Watches(c, owned, func(_ context.Context, job *metav1.PartialObjectMetadata) []controller.Request {
			return []controller.Request{{Namespace: "default", Name: job.Labels["for"]}}
		}, controller.WithFilter(func(_ context.Context, e controller.Event[*metav1.PartialObjectMetadata]) bool {
			return e.New.Labels["for"] != ""
		}))
		start(t, t.Context(), m)
		w.expect(t, "at the start", map[string]int32{"owner": 1, "named": 1})
		create := func(job *metav1.PartialObjectMetadata) {
			t.Helper()
			if err := client.Tracker().Create(jobs, job, "default"); err != nil {
				t.Fatal(err)
			}
		}
		create(metadataOf(customObject(jobKind, "a", "example.com/v1", "App", "owner")))
		w.expect(t, "an owned object", map[string]int32{"owner": 2, "named": 1})
		create(metadataOf(customObject(jobKind, "b", "other.example.com/v1", "App", "owner")))
		w.expect(t, "owned by another group's kind", map[string]int32{"owner": 2, "named": 1})
		mapped := metadataOf(customObject(jobKind, "c"))
		mapped.Labels = map[string]string{"for": "named"}
		create(mapped)
		w.expect(t, "a mapped object", map[string]int32{"owner": 2, "named": 2})
	})
}
