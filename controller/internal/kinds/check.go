// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Check returns an error if an object of an informer is not what the set-up says: of another Go type
// than goType, which is nil if it is not known, or an unstructured object of another kind.
func Check(object any, kind schema.GroupKind, goType reflect.Type) error {
	if object == nil {
		return nil
	}
	if t := reflect.TypeOf(object); goType != nil && !t.AssignableTo(goType) {
		return fmt.Errorf("it was set up for objects of the Go type %s (%s), and gets %s: make the typed "+
			"informer for the Go type of its objects, or state the kind if it is not %s", goType, kind, t, kind)
	}
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return nil
	}
	if is := u.GroupVersionKind().GroupKind(); is.Kind != "" && is != kind {
		return fmt.Errorf("it was set up for objects of the kind %s, and gets %s: state %#v, or correct "+
			"its resource", kind, is, is)
	}
	return nil
}
