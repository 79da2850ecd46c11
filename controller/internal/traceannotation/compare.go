// SPDX-License-Identifier: Apache-2.0

package traceannotation

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is an API object.
type Object interface {
	metav1.Object
	runtime.Object
}

// OnlyTraceChanged reports whether an update changed the annotation, and nothing else that matters
// to a reconcile. The resourceVersion, managedFields and the generation may differ too; a
// Deployment's generation counts changes of its annotations. If the annotation is the same, as it
// nearly always is, nothing else is compared.
func (s *Settings) OnlyTraceChanged(before, after metav1.Object) bool {
	key := s.AnnotationKey()
	was, had := before.GetAnnotations()[key]
	is, has := after.GetAnnotations()[key]
	if had == has && was == is {
		return false
	}
	if before.GetUID() != after.GetUID() {
		return false
	}
	one, ok1 := before.(Object)
	other, ok2 := after.(Object)
	return ok1 && ok2 && Same(one, other, key)
}

// Same reports whether two states of an object are equal without the annotation and without what
// every write changes.
func Same(a, b Object, key string) bool {
	return equality.Semantic.DeepEqual(withoutTrace(a, key), withoutTrace(b, key))
}

// withoutTrace returns a deep copy: a shallow copy of an unstructured object shares its metadata.
func withoutTrace(object Object, key string) runtime.Object {
	copied := object.DeepCopyObject().(Object)
	annotations := copied.GetAnnotations()
	if delete(annotations, key); len(annotations) == 0 {
		annotations = nil
	}
	copied.SetAnnotations(annotations)
	copied.SetResourceVersion("")
	copied.SetGeneration(0)
	copied.SetManagedFields(nil)
	return copied
}
