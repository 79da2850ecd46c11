// SPDX-License-Identifier: Apache-2.0

package apply

// sharedList returns how to recognise an item of a list that many write to, and nil for any other list.
// These lists are the same for all kinds. Other lists cannot be told from atomic ones without the
// schema of their kind.
func sharedList(path string) func(a, b any) bool {
	switch path {
	case ".metadata.finalizers":
		return func(a, b any) bool { return a == b }
	case ".metadata.ownerReferences":
		return sameKey("uid")
	case ".status.conditions":
		return sameKey("type")
	default:
		return nil
	}
}

func sameKey(key string) func(a, b any) bool {
	return func(a, b any) bool {
		first, ok := a.(map[string]any)
		second, also := b.(map[string]any)
		return ok && also && first[key] != nil && first[key] == second[key]
	}
}

func indexOf(items []any, item any, same func(a, b any) bool) int {
	for i := range items {
		if same(items[i], item) {
			return i
		}
	}
	return -1
}
