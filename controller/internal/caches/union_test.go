// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

func TestAUnionReadsTheCachesOfItsNamespaces(t *testing.T) {
	indexers := cache.Indexers{"app": func(object any) ([]string, error) {
		return []string{object.(*corev1.ConfigMap).Labels["app"]}, nil //nolint:forcetypeassert // there are no others
	}}
	namespaces := map[string]cache.Indexer{}
	var order []string
	for _, namespace := range []string{"a", "b"} {
		namespaces[namespace] = cache.NewIndexer(cache.MetaNamespaceKeyFunc, indexers)
		order = append(order, namespace)
		for _, name := range []string{"x", "y"} {
			if err := namespaces[namespace].Add(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: name, Labels: map[string]string{"app": name},
			}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	union := NewUnion(nil, func(namespace string) cache.Indexer {
		if part, there := namespaces[namespace]; there {
			return part
		}
		return nil
	}, func() (parts []cache.Indexer) {
		for _, namespace := range order {
			parts = append(parts, namespaces[namespace])
		}
		return parts
	})
	want := func(what string, got []string, want ...string) {
		t.Helper()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	keys := func(objects []any) (keys []string) {
		for _, object := range objects {
			key, err := cache.MetaNamespaceKeyFunc(object)
			if err != nil {
				t.Error(err)
			}
			keys = append(keys, key)
		}
		return keys
	}
	want("List", keys(union.List()), "a/x", "a/y", "b/x", "b/y")
	want("ListKeys", union.ListKeys(), "a/x", "a/y", "b/x", "b/y")
	like := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "x", Labels: map[string]string{"app": "x"}}}
	alike, err := union.Index("app", like)
	want("Index", keys(alike), "a/x", "b/x")
	named, err2 := union.ByIndex("app", "y")
	want("ByIndex", keys(named), "a/y", "b/y")
	namedKeys, err3 := union.IndexKeys("app", "y")
	want("IndexKeys", namedKeys, "a/y", "b/y")
	want("ListIndexFuncValues", union.ListIndexFuncValues("app"), "x", "x", "y", "y")
	if len(union.GetIndexers()) != 1 {
		t.Errorf("the indexers are %v", union.GetIndexers())
	}
	object, there, err4 := union.Get(like)
	want("Get", keys([]any{object}), "a/x")
	_, elsewhere, err5 := union.GetByKey("c/x")
	if !there || elsewhere {
		t.Errorf("a/x is there: %t, and c/x: %t", there, elsewhere)
	}
	for _, err := range []error{err, err2, err3, err4, err5} {
		if err != nil {
			t.Error(err)
		}
	}

	// What it cannot do it says.
	_, err = union.Index("none", like)
	_, err2 = union.ByIndex("none", "")
	_, err3 = union.IndexKeys("none", "")
	_, _, err4 = union.Get("no object")
	_, _, err5 = union.GetByKey("a/b/c")
	for i, err := range []error{
		err, err2, err3, err4, err5, union.Add(like), union.Update(like), union.Delete(like), union.Replace(nil, ""), union.AddIndexers(nil),
	} {
		if err == nil {
			t.Errorf("call %d has no error", i)
		}
	}
	order = nil
	if len(union.List()) != 0 || len(union.GetIndexers()) != 0 {
		t.Errorf("without namespaces it has %v", union.List())
	}
}

func TestASelectionKnowsItsObjects(t *testing.T) {
	app := func() map[string]string { return map[string]string{"app": "web"} }
	for _, c := range []struct {
		collection      string
		namespace, name string
		matches, known  bool
	}{
		{"/api/v1/pods", "n", "p", true, true},
		{"/api/v1/namespaces/n/pods", "n", "p", true, true},
		{"/api/v1/namespaces/n/pods", "m", "p", false, true},
		{"/api/v1/pods?app=web", "n", "p", true, true},
		{"/api/v1/pods?app=db", "n", "p", false, true},
		{"/api/v1/pods?&metadata.name=p", "n", "p", true, true},
		{"/api/v1/pods?&metadata.name=q", "n", "p", false, true},
		{"/api/v1/pods?&metadata.namespace=n", "n", "p", true, true},
		{"/api/v1/pods?app=web&metadata.name=q", "n", "p", false, true},
		{"/api/v1/pods?&status.phase=Running", "n", "p", false, false},
	} {
		matches, known := parseSelection(c.collection).Matches(c.namespace, c.name, app)
		if matches != c.matches || known != c.known {
			t.Errorf("%s has %s/%s: %t, and that is known: %t; want %t, %t", c.collection, c.namespace, c.name, matches, known, c.matches, c.known)
		}
	}
	for _, bad := range []string{"/api/v1/pods?a in", "/api/v1/pods?&x"} {
		if s := parseSelection(bad); s != nil {
			t.Errorf("%s is %+v", bad, s)
		}
	}
}
