// SPDX-License-Identifier: Apache-2.0

package dryrun

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/plan"
)

// diff finds the fields in which two states of an object differ.
type diff struct {
	secret bool
	fields []plan.Field
	// replaced returns what stands in place of a UID that was made up in this dry run.
	replaced func(uid string) string
}

// compare returns the fields in which two states of an object differ. before is nil for a new object.
func (d *diff) compare(before, after map[string]any) []plan.Field {
	if before == nil {
		before = map[string]any{}
	}
	d.walk("", before, after)
	return d.fields
}

// walk compares two values. nil stands for none.
func (d *diff) walk(path string, a, b any) {
	if leftOut(path, a, b) {
		return
	}
	x, y, areMaps := both[map[string]any](a, b)
	if areMaps && len(x)+len(y) > 0 {
		for _, key := range slices.Sorted(maps.Keys(union(x, y))) {
			d.walk(join(path, key), x[key], y[key])
		}
		return
	}
	if d.walkList(path, a, b) {
		return
	}
	if before, after := d.plain(a), d.plain(b); !reflect.DeepEqual(before, after) {
		d.add(path, before, after)
	}
}

// both returns two values of one type, either of which may be missing.
func both[T any](a, b any) (x, y T, ok bool) {
	x, isX := a.(T)
	y, isY := b.(T)
	return x, y, (isX || a == nil) && (isY || b == nil) && (isX || isY)
}

// walkList compares two lists, by the names of their elements if they have some. It reports whether it has.
func (d *diff) walkList(path string, a, b any) bool {
	x, y, areLists := both[[]any](a, b)
	if !areLists || len(x)+len(y) == 0 {
		return false
	}
	if key, byX, byY := named(x, y); key != "" {
		for _, name := range slices.Sorted(maps.Keys(union(byX, byY))) {
			d.walk(fmt.Sprintf("%s[%s=%s]", path, key, name), byX[name], byY[name])
		}
		if before, after := order(key, x, byY), order(key, y, byX); !slices.Equal(before, after) {
			d.add(path+"[order]", before, after)
		}
		return true
	}
	if len(x) != len(y) && len(x) > 0 && len(y) > 0 {
		return false // the lists as a whole
	}
	for i := range max(len(x), len(y)) {
		d.walk(fmt.Sprintf("%s[%d]", path, i), at(x, i), at(y, i))
	}
	return true
}

// order returns the names of those elements of a list that are in another one too.
func order(key string, list []any, other map[string]any) (names []string) {
	for _, element := range list {
		object, _ := element.(map[string]any)
		name, _ := object[key].(string)
		if _, ok := other[name]; ok {
			names = append(names, name)
		}
	}
	return names
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// named returns the elements of two lists by the field that tells them apart; an empty key if none does.
func named(a, b []any) (key string, byA, byB map[string]any) {
	for _, key := range []string{"type", "name", "key", "uid"} {
		byA, okA := by(key, a)
		byB, okB := by(key, b)
		if okA && okB && len(byA)+len(byB) > 0 {
			return key, byA, byB
		}
	}
	return "", nil, nil
}

func by(key string, list []any) (map[string]any, bool) {
	all := map[string]any{}
	for _, element := range list {
		object, _ := element.(map[string]any)
		name, ok := object[key].(string)
		if _, twice := all[name]; !ok || twice {
			return nil, false
		}
		all[name] = element
	}
	return all, true
}

func (d *diff) add(path string, before, after any) {
	field := plan.Field{Path: path, Old: before, New: after}
	if d.secret && !shownOfSecret(path) {
		field = plan.Field{Path: path, Hidden: true}
	}
	d.fields = append(d.fields, field)
}

// shownOfSecret reports whether a field of a Secret has none of its contents. Annotations have: kubectl keeps
// what was applied there.
func shownOfSecret(path string) bool {
	if path == "type" || path == "immutable" {
		return true
	}
	for _, shown := range []string{"metadata.labels.", "metadata.ownerReferences[", "metadata.finalizers"} {
		if strings.HasPrefix(path, shown) {
			return true
		}
	}
	return false
}

// plain returns a value to compare and to show: integers of one type, and no UID of an object that does not
// exist.
func (d *diff) plain(v any) any {
	switch x := v.(type) {
	case string:
		return d.replaced(x)
	case int64:
		return x
	case uint64:
		return int64(x) //nolint:gosec // API objects have no larger numbers
	case float64:
		if whole := int64(x); float64(whole) == x {
			return whole
		}
		return x
	case map[string]any:
		made := make(map[string]any, len(x))
		for key, of := range x {
			made[key] = d.plain(of)
		}
		return made
	case []any:
		made := make([]any, len(x))
		for i, of := range x {
			made[i] = d.plain(of)
		}
		return made
	}
	return v
}

// leftOut reports whether a field says nothing of what a write is for: what names the object, versions, and
// times outside of what a user has specified.
func leftOut(path string, a, b any) bool {
	switch path {
	case "apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata.generateName":
		return true // said already
	case "metadata.resourceVersion", "metadata.managedFields", "metadata.uid", "metadata.generation",
		"metadata.creationTimestamp", "metadata.deletionTimestamp", "metadata.selfLink":
		return true
	}
	if !strings.HasPrefix(path, "metadata.") && !strings.HasPrefix(path, "status.") {
		return false
	}
	return isTime(a) && (isTime(b) || b == nil) || a == nil && isTime(b)
}

func isTime(v any) bool {
	s, ok := v.(string)
	if !ok || len(s) < len(time.DateTime) {
		return false
	}
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

func union(a, b map[string]any) map[string]struct{} {
	keys := map[string]struct{}{}
	for key := range a {
		keys[key] = struct{}{}
	}
	for key := range b {
		keys[key] = struct{}{}
	}
	return keys
}

func join(path, key string) string {
	if strings.ContainsAny(key, ".[") {
		key = fmt.Sprintf("[%s]", key)
		return path + key
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
