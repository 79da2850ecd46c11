package tracing

import (
	"encoding/json"
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// OnlyTraceChanged tells whether an update changed the annotation, and nothing else that anyone reconciles
// for: beside it only resourceVersion, managedFields and the generation may differ, which counts a Deployment's
// annotations too. Where the annotation is the same, as it nearly always is, nothing else is looked at.
func (a *Annotations) OnlyTraceChanged(before, after metav1.Object) bool {
	key := a.key()
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
	return ok1 && ok2 && same(one, other, key)
}

// same compares what is left without the annotation and what every write changes.
func same(a, b Object, key string) bool {
	return equality.Semantic.DeepEqual(bare(a, key), bare(b, key))
}

// bare is a copy that may be changed: an unstructured object shares its metadata with any other.
func bare(object Object, key string) runtime.Object {
	bare := object.DeepCopyObject().(Object)
	annotations := bare.GetAnnotations()
	if delete(annotations, key); len(annotations) == 0 {
		annotations = nil
	}
	bare.SetAnnotations(annotations)
	bare.SetResourceVersion("")
	bare.SetGeneration(0)
	bare.SetManagedFields(nil)
	return bare
}

// applyChanges tells whether to apply desired would change live, for certain. Each value of desired is looked
// for as it was written, and as live's type writes it (a quantity of 1000m is 1).
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

// contains tells whether want, which in another spelling is normal, is there already. Of a list the first
// elements are compared, and what the server has added after them is not.
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

func isNil(object Object) bool {
	if object == nil {
		return true
	}
	v := reflect.ValueOf(object)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
