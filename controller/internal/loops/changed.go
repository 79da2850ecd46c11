// SPDX-License-Identifier: Apache-2.0

package loops

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
)

// maxChanged bounds the fields that are named.
const maxChanged = 10

// changed returns the paths of the fields that differ between two states of an object, but for those that
// every write changes. It returns nil if a state is missing.
func changed(before, after metav1.Object) []string {
	if before == nil || after == nil {
		return nil
	}
	a, err1 := runtime.DefaultUnstructuredConverter.ToUnstructured(before)
	b, err2 := runtime.DefaultUnstructuredConverter.ToUnstructured(after)
	if err1 != nil || err2 != nil {
		return nil
	}
	var d diff
	d.walk("", a, b)
	return d.paths
}

type diff struct{ paths []string }

func (d *diff) walk(path string, a, b any) {
	switch path {
	case "metadata.resourceVersion", "metadata.managedFields", "metadata.generation":
		return
	}
	if len(d.paths) >= maxChanged || reflect.DeepEqual(a, b) {
		return
	}
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			keys := sets.KeySet(x).Union(sets.KeySet(y))
			for _, key := range slices.Sorted(maps.Keys(keys)) {
				d.walk(join(path, key), x[key], y[key])
			}
			return
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i := range x {
				d.walk(fmt.Sprintf("%s[%d]", path, i), x[i], y[i])
			}
			return
		}
	}
	d.paths = append(d.paths, path)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
