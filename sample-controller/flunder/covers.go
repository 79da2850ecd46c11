// SPDX-License-Identifier: Apache-2.0

package flunder

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
)

// covers reports whether applying desired to live would change nothing, as far as can be seen without
// a call: every field that desired sets has that value in live, whatever else is there. It is what
// keeps a Flunder at rest from causing a request each time it is looked at.
func covers(live, desired any) (bool, error) {
	var have, want any
	if err := viaJSON(live, &have); err != nil {
		return false, err
	}
	if err := viaJSON(desired, &want); err != nil {
		return false, err
	}
	// Objects out of a typed cache do not say what they are.
	fields := want.(map[string]any)
	delete(fields, "apiVersion")
	delete(fields, "kind")
	return contains(have, fields), nil
}

func viaJSON(from any, to *any) error {
	data, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		return fmt.Errorf("compare a %T: %w", from, err)
	}
	return nil
}

// contains compares lists element by element: the lists that the controller sets are wholly its
// own.
func contains(have, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		fields, ok := have.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range want {
			if !contains(fields[name], value) {
				return false
			}
		}
		return true
	case []any:
		items, ok := have.([]any)
		if !ok || len(items) != len(want) {
			return false
		}
		for i := range want {
			if !contains(items[i], want[i]) {
				return false
			}
		}
		return true
	default:
		return equality.Semantic.DeepEqual(have, want)
	}
}
