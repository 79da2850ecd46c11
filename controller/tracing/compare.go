// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"encoding/json"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
)

// applyChanges reports whether applying desired would certainly change live. Each value of desired
// is looked for as it was written, and as live's type writes it: a quantity of 1000m is 1.
func applyChanges(desired any, live Object) bool {
	var want, have, normal map[string]any
	if viaJSON(desired, &want) != nil || viaJSON(live, &have) != nil {
		return false
	}
	// Objects out of a typed cache do not say what they are.
	delete(want, "apiVersion")
	delete(want, "kind")
	normal = want
	if _, structured := live.(runtime.Unstructured); !structured {
		typed := reflect.New(reflect.TypeOf(live).Elem()).Interface()
		normal = nil
		if viaJSON(want, typed) != nil || viaJSON(typed, &normal) != nil {
			return false
		}
	}
	return !contains(have, want, normal)
}

func viaJSON(from, to any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, to)
}

// contains reports whether have contains want; normal is want in another spelling. Of a list the
// first elements are compared; the server may have added others after them.
func contains(have, want, normal any) bool {
	switch want := want.(type) {
	case map[string]any:
		there, _ := have.(map[string]any)
		spelled, _ := normal.(map[string]any)
		for name, value := range want {
			if !contains(there[name], value, spelled[name]) {
				return false
			}
		}
		return true
	case []any:
		there, _ := have.([]any)
		spelled, _ := normal.([]any)
		if len(there) < len(want) {
			return false
		}
		for i := range want {
			if !contains(there[i], want[i], at(spelled, i)) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(have, want) || reflect.DeepEqual(have, normal)
	}
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}
