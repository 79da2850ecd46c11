// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/controller/internal/traceannotation"
)

// AnnotationKey is the default key of the annotation that carries a trace from one object to the
// next. KEP-5915 proposes it; so far it is a convention.
const AnnotationKey = traceannotation.DefaultKey

// Object is an API object. A pod template is none.
type Object interface {
	metav1.Object
	runtime.Object
}

func isNil(object Object) bool {
	if object == nil {
		return true
	}
	v := reflect.ValueOf(object)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
