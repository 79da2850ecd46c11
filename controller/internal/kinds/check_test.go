// SPDX-License-Identifier: Apache-2.0

package kinds_test

import (
	"reflect"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/lanyard-k8s/lanyard/controller/internal/kinds"
)

func TestC30ObjectsAreComparedWithWhatTheSetUpSays(t *testing.T) {
	deployment := schema.GroupKind{Group: "apps", Kind: "Deployment"}
	of := func(gvk schema.GroupVersionKind) *unstructured.Unstructured {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(gvk)
		return u
	}
	for name, test := range map[string]struct {
		object any
		goType reflect.Type
		right  bool
	}{
		"the Go type":            {&appsv1.Deployment{}, reflect.TypeFor[*appsv1.Deployment](), true},
		"another Go type":        {&corev1.Pod{}, reflect.TypeFor[*appsv1.Deployment](), false},
		"no Go type is known":    {&corev1.Pod{}, nil, true},
		"an interface":           {&corev1.Pod{}, reflect.TypeFor[runtime.Object](), true},
		"no object":              {nil, reflect.TypeFor[*appsv1.Deployment](), true},
		"metadata":               {&metav1.PartialObjectMetadata{}, reflect.TypeFor[*metav1.PartialObjectMetadata](), true},
		"the kind":               {of(deployment.WithVersion("v1")), nil, true},
		"another version":        {of(deployment.WithVersion("v7")), nil, true},
		"another group":          {of(schema.GroupVersionKind{Group: "other", Version: "v1", Kind: "Deployment"}), nil, false},
		"another kind":           {of(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deploy"}), nil, false},
		"an object without kind": {of(schema.GroupVersionKind{}), nil, true},
	} {
		if err := kinds.Check(test.object, deployment, test.goType); (err == nil) != test.right {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestC30AGoTypeThatDoesNotTellAKindIsAnError(t *testing.T) {
	meta := runtime.NewScheme() // some schemes have metadata as a kind of its own
	if err := metav1.AddMetaToScheme(meta); err != nil {
		t.Fatal(err)
	}
	schemes := kinds.Schemes{meta, scheme.Scheme}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[runtime.Object](), reflect.TypeFor[*testing.T](), reflect.TypeFor[int](),
		reflect.TypeFor[*metav1.PartialObjectMetadata](),
	} {
		if kind, err := schemes.Of(typ); err == nil || !strings.Contains(err.Error(), typ.String()) {
			t.Errorf("%s is %s (%v)", typ, kind, err)
		}
	}
	for _, name := range []string{"<nil>", "*v1.PartialObjectMetadata"} {
		if kind, _, err := schemes.OfName(name); err == nil || !strings.Contains(err.Error(), "InformerOptions.Kind") {
			t.Errorf("an informer of %s has the kind %s (%v)", name, kind, err)
		}
	}
}
