// SPDX-License-Identifier: Apache-2.0

package caches_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
)

const listed = 10_000

// BenchmarkFill fills a cache with 10,000 objects that are in memory already, with the transform that
// the manager sets and without. The difference is what the manager's look at each object costs.
func BenchmarkFill(b *testing.B) {
	kind := schema.GroupKind{Kind: "ConfigMap"}
	for name, fill := range map[string]struct {
		list runtime.Object
		typ  reflect.Type
		one  runtime.Object
	}{
		"typed":        {typedList(), reflect.TypeFor[*corev1.ConfigMap](), &corev1.ConfigMap{}},
		"unstructured": {unstructuredList(), reflect.TypeFor[*unstructured.Unstructured](), &unstructured.Unstructured{}},
	} {
		b.Run(name+"/managed", func(b *testing.B) {
			for b.Loop() {
				informer := cache.NewSharedIndexInformer(listOf(fill.list), fill.one, 0, cache.Indexers{})
				var set caches.Set
				if _, _, err := set.Add(informer, caches.User{Kind: kind, Type: fill.typ}); err != nil {
					b.Fatal(err)
				}
				run(b, informer)
			}
		})
		b.Run(name+"/bare", func(b *testing.B) {
			for b.Loop() {
				run(b, cache.NewSharedIndexInformer(listOf(fill.list), fill.one, 0, cache.Indexers{}))
			}
		})
	}
}

// run runs an informer until its cache is full.
func run(b *testing.B, informer cache.SharedIndexInformer) {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { defer close(done); informer.RunWithContext(ctx) }()
	cache.WaitFor(ctx, "", informer.HasSyncedChecker())
	if n := len(informer.GetStore().ListKeys()); n != listed {
		b.Fatalf("the cache has %d objects", n)
	}
	cancel()
	<-done
}

func listOf(list runtime.Object) cache.ListerWatcher {
	return noWatchList{&cache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) { return list, nil },
		WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) {
			return watch.NewFake(), nil
		},
	}}
}

type noWatchList struct{ *cache.ListWatch }

func (noWatchList) IsWatchListSemanticsUnSupported() bool { return true }

func typedList() runtime.Object {
	list := &corev1.ConfigMapList{}
	for i := range listed {
		list.Items = append(list.Items, corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("object-", i)},
		})
	}
	return list
}

func unstructuredList() runtime.Object {
	list := &unstructured.UnstructuredList{}
	for i := range listed {
		u := unstructured.Unstructured{Object: map[string]any{}}
		u.SetAPIVersion("v1")
		u.SetKind("ConfigMap")
		u.SetNamespace("default")
		u.SetName(fmt.Sprint("object-", i))
		list.Items = append(list.Items, u)
	}
	return list
}
