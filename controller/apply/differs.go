// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// Differs reports whether live lacks something of desired, an apply configuration for it: then
// applying desired would change it. What else live has does not matter, such as fields that the API
// server has set to their defaults, or that others own. A live that is nil differs.
//
// Values are equal if they are equal in the type of live: a quantity of 500m is one of 0.5, and a field
// that is empty is one that is not there, if the type has it so.
//
// Lists are compared item by item, so both must have as many. In the lists which many write to, others
// may have further items: finalizers, owner references (by UID), and the conditions of a status (by
// type).
//
// A comparison without the API server has limits:
//   - What desired does not say any more is seen only if live has its managed fields, of which those
//     of fieldManager are looked at. Caches drop managed fields, unless InformerOptions.KeepManagedFields
//     is set. Without them, set a field to its empty value instead of leaving it out, where that is
//     possible; or apply once after each start.
//   - If another writer adds an item to a list of desired, such as a container, live differs for good,
//     and each reconcile applies. That is safe, but not free.
//   - If the API server stores another value than the one that was applied, for instance because a
//     webhook changes it, live differs for good, too. Write the value as the API server has it.
//   - A field that someone adds within an item of desired's lists is not seen. The API server would
//     remove it if the list is atomic.
func Differs[T any](live *T, desired any, fieldManager string) (bool, error) {
	if live == nil {
		return true, nil
	}
	c, err := newComparison(live, desired)
	if err != nil {
		return false, fmt.Errorf("compare a %T with a %T: %w", desired, live, err)
	}
	if !covers(c.have, c.want, c.normal, "") {
		return true, nil
	}
	return leavesOut(c.have, c.want, fieldManager)
}

// comparison has both objects as maps, lists and scalars.
type comparison struct {
	have map[string]any // live
	want map[string]any // desired
	// normal is desired after a turn through the type of live, which writes quantities, times and empty
	// values in its own way. It may have fields that desired does not have, and lack some that it has.
	normal map[string]any
}

func newComparison[T any](live *T, desired any) (c comparison, err error) {
	if c.have, err = runtime.DefaultUnstructuredConverter.ToUnstructured(live); err != nil {
		return c, err
	}
	data, err := json.Marshal(desired)
	if err != nil {
		return c, err
	}
	if err = utiljson.Unmarshal(data, &c.want); err != nil {
		return c, err
	}
	if _, untyped := any(live).(runtime.Unstructured); untyped {
		c.normal = c.want
	} else {
		typed := new(T)
		if err = json.Unmarshal(data, typed); err != nil {
			return c, err
		}
		if c.normal, err = runtime.DefaultUnstructuredConverter.ToUnstructured(typed); err != nil {
			return c, err
		}
	}
	// Objects out of a typed cache do not say what they are.
	delete(c.want, "apiVersion")
	delete(c.want, "kind")
	return c, nil
}
