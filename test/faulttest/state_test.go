// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// made is an object in a namespace; owner is a UID, or empty.
func made(name, owner string, data map[string]any) unstructured.Unstructured {
	metadata := map[string]any{"name": name, "namespace": "ns", "uid": "uid-" + name, "resourceVersion": "1"}
	if owner != "" {
		metadata["ownerReferences"] = []any{map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "name": "web", "uid": owner, "controller": true,
		}}
	}
	return unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}}
}

func seen(objects ...unstructured.Unstructured) *snapshot {
	s := &snapshot{namespace: "ns", objects: objects, uids: map[types.UID]bool{"gone": false}}
	for i := range objects {
		s.uids[objects[i].GetUID()] = true
	}
	return s
}

func TestDifferencesAreToldByTheirOracles(t *testing.T) {
	web := made("web", "", nil)
	right := seen(web, made("web-child", "uid-web", map[string]any{"a": "1"})).state(nil)
	for name, c := range map[string]struct {
		got  *snapshot
		want []Oracle
	}{
		"the same":                 {seen(web, made("web-child", "uid-web", map[string]any{"a": "1"})), nil},
		"one too many":             {seen(web, made("web-child", "uid-web", map[string]any{"a": "1"}), made("b", "uid-web", nil)), []Oracle{O3}},
		"one is missing":           {seen(web), []Oracle{O1}},
		"another value":            {seen(web, made("web-child", "uid-web", map[string]any{"a": "2"})), []Oracle{O1}},
		"without an owner":         {seen(web, made("web-child", "", map[string]any{"a": "1"})), []Oracle{O3}},
		"of an owner that is gone": {seen(web, made("web-child", "gone", map[string]any{"a": "1"})), []Oracle{O3}},
	} {
		var got []Oracle
		for _, d := range c.got.state(nil).diff(right, nil) {
			got = append(got, d.oracle)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestTheOrderOfConditionsMeansNothing(t *testing.T) {
	conditions := func(types ...string) (list []any) {
		for _, kind := range types {
			list = append(list, map[string]any{"type": kind, "status": "True", "reason": "Is" + kind})
		}
		return list
	}
	right := seen(made("web", "", map[string]any{"conditions": conditions("Ready", "Seen")})).state(nil)
	for name, c := range map[string]struct {
		list []any
		want int // differences
	}{
		"another order":      {conditions("Seen", "Ready"), 0},
		"one is missing":     {conditions("Ready"), 3},
		"one is there twice": {conditions("Ready", "Ready"), 12},
	} {
		if found := seen(made("web", "", map[string]any{"conditions": c.list})).state(nil).diff(right, nil); len(found) != c.want {
			t.Errorf("%s: %d differences, %v", name, len(found), found)
		}
	}
}

func TestObjectsWithGeneratedNamesAreComparedWhateverTheirNames(t *testing.T) {
	state := func(first, second string) state {
		fixed := map[string]map[string]bool{"ConfigMap of ": {}}
		return seen(made(first, "", map[string]any{"of": "one"}), made(second, "", map[string]any{"of": "two"})).state(fixed)
	}
	if found := state("web-2", "web-1").diff(state("web-1", "web-2"), nil); len(found) != 0 {
		t.Errorf("%v", found)
	}
}

func TestGeneratedNamesAreToldByWhoOwnsThem(t *testing.T) {
	web := made("web", "", nil)
	a, b := seen(web, made("web-1a", "uid-web", nil)), seen(web, made("web-2b", "uid-web", nil))
	fixed := generatedGroups(a.state(nil), b.state(nil))
	right := a.state(fixed)
	if found := b.state(fixed).diff(right, nil); len(found) != 0 {
		t.Errorf("the second run differs: %v", found)
	}
	twice := seen(web, made("web-3c", "uid-web", nil), made("web-4d", "uid-web", nil))
	if found := twice.state(fixed).diff(right, nil); len(found) != 1 || found[0].oracle != O3 {
		t.Errorf("two in place of one: %v", found)
	}
	more := seen(web, made("web-5e", "uid-web", nil), made("web-6f", "uid-web", nil))
	if fixed := generatedGroups(a.state(nil), more.state(nil)); len(fixed) != 0 {
		t.Errorf("what only one run makes is no generated name: %v", fixed)
	}
}

func TestAnObservedGenerationIsCurrentOrOld(t *testing.T) {
	object := made("web", "", nil)
	object.SetGeneration(7)
	object.Object["status"] = map[string]any{"observedGeneration": int64(7)}
	first := seen(object).state(nil)
	other := made("web", "", nil)
	other.SetGeneration(9)
	other.Object["status"] = map[string]any{"observedGeneration": int64(9)}
	if found := seen(other).state(nil).diff(first, nil); len(found) != 0 {
		t.Errorf("%v", found)
	}
	other.Object["status"] = map[string]any{"observedGeneration": int64(8)}
	if found := seen(other).state(nil).diff(first, nil); len(found) != 1 {
		t.Errorf("%v", found)
	}
}
