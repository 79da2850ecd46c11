// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// leavesOut reports whether fieldManager has applied a field to an object which want does not have any
// more: the apply would remove it. Without managed fields it reports false.
func leavesOut(have, want map[string]any, fieldManager string) (bool, error) {
	subresource := ""
	if _, ok := want["status"]; ok {
		subresource = "status"
	}
	live := unstructured.Unstructured{Object: have}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager != fieldManager || entry.Subresource != subresource || entry.FieldsV1 == nil ||
			entry.Operation != metav1.ManagedFieldsOperationApply {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			return false, fmt.Errorf("read the managed fields of %s: %w", fieldManager, err)
		}
		if !hasFields(want, fields) {
			return true, nil
		}
	}
	return false, nil
}

// hasFields reports whether value has all fields of a set in the format FieldsV1.
func hasFields(value any, fields map[string]any) bool {
	for key, below := range fields {
		if key == "." {
			continue
		}
		found, ok := member(value, key)
		if set, _ := below.(map[string]any); !ok || !hasFields(found, set) {
			return false
		}
	}
	return true
}

// member finds what a key of FieldsV1 stands for: f:name is a field, k:{"name":"x"} the item of a list
// with that key, v:"x" the item with that value, and i:0 the item at that place.
func member(value any, key string) (found any, ok bool) {
	kind, rest, _ := strings.Cut(key, ":")
	if kind == "f" {
		fields, _ := value.(map[string]any)
		found, ok = fields[rest]
		return found, ok
	}
	items, _ := value.([]any)
	if kind == "i" {
		at, err := strconv.Atoi(rest)
		if err != nil || at >= len(items) {
			return nil, false
		}
		return items[at], true
	}
	var wanted any
	if utiljson.Unmarshal([]byte(rest), &wanted) != nil {
		return nil, false
	}
	at := indexOf(items, wanted, isItem)
	if at < 0 {
		return nil, false
	}
	return items[at], true
}

// isItem reports whether a key or value of FieldsV1 is that of an item. A part of a key that the item
// does not have has its default value in the key, such as the protocol of a port.
func isItem(item, key any) bool {
	keys, ok := key.(map[string]any)
	if !ok {
		return item == key
	}
	fields, ok := item.(map[string]any)
	for name, value := range keys {
		if is, has := fields[name]; has && is != value {
			return false
		}
	}
	return ok
}
