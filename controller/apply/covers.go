// SPDX-License-Identifier: Apache-2.0

package apply

import "reflect"

// covers reports whether have has all of want. path says where that is.
func covers(have, want, normal any, path string) bool {
	if have == nil && normal == nil && isEmpty(want) {
		return true // the type leaves out what is empty
	}
	switch want := want.(type) {
	case map[string]any:
		fields, ok := have.(map[string]any)
		normals, _ := normal.(map[string]any)
		for name, value := range want {
			ok = ok && covers(fields[name], value, normals[name], path+"."+name)
		}
		return ok
	case []any:
		items, ok := have.([]any)
		normals, _ := normal.([]any)
		return ok && coversItems(items, want, normals, path)
	default:
		return have != nil && (reflect.DeepEqual(have, want) || reflect.DeepEqual(have, normal))
	}
}

func coversItems(have, want, normal []any, path string) bool {
	if len(normal) != len(want) {
		normal = want
	}
	if same := sharedList(path); same != nil {
		for i, value := range want {
			at := indexOf(have, value, same)
			if at < 0 || !covers(have[at], value, normal[i], path+"[]") {
				return false
			}
		}
		return true
	}
	if len(have) != len(want) {
		return false
	}
	for i, value := range want {
		if !covers(have[i], value, normal[i], path+"[]") {
			return false
		}
	}
	return true
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case map[string]any:
		for _, field := range value {
			if !isEmpty(field) {
				return false
			}
		}
		return true
	case []any:
		return len(value) == 0
	default:
		return reflect.ValueOf(value).IsZero()
	}
}
