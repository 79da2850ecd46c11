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

func TestC30TheKindOfATypeIsWhatASchemeSays(t *testing.T) {
	// A type of which the name is not the kind, and one that several kinds share.
	own := runtime.NewScheme()
	gadgets := schema.GroupVersion{Group: "example.com", Version: "v1"}
	own.AddKnownTypeWithName(gadgets.WithKind("Gadget"), &corev1.Secret{})
	shared := runtime.NewScheme()
	shared.AddKnownTypeWithName(gadgets.WithKind("One"), &corev1.Secret{})
	shared.AddKnownTypeWithName(gadgets.WithKind("Other"), &corev1.Secret{})
	for _, test := range []struct {
		schemes kinds.Schemes
		object  runtime.Object
		want    string // the kind, or a part of the error
	}{
		{kinds.Schemes{nil, scheme.Scheme}, &corev1.ConfigMap{}, "ConfigMap"},
		{kinds.Schemes{scheme.Scheme}, &appsv1.Deployment{}, "Deployment.apps"},
		{kinds.Schemes{own, scheme.Scheme}, &corev1.Secret{}, "Gadget.example.com"},
		{kinds.Schemes{shared, scheme.Scheme}, &corev1.Secret{}, "several kinds"},
		{kinds.Schemes{scheme.Scheme}, &unstructured.Unstructured{}, "controller.WithKind"},
		{kinds.Schemes{scheme.Scheme}, &metav1.PartialObjectMetadata{}, "controller.WithKind"},
		{kinds.Schemes{own}, &corev1.ConfigMap{}, "Manager.AddScheme"},
	} {
		got, err := test.schemes.Of(reflect.TypeOf(test.object))
		if got.String() != test.want && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%T: %q, %v, want %q", test.object, got, err, test.want)
		}
	}
}

func TestC30TheKindOfATypeThatIsKnownByNameIsWhatASchemeSays(t *testing.T) {
	schemes := kinds.Schemes{scheme.Scheme}
	for name, want := range map[string]string{
		"*v1.ConfigMap":                 "ConfigMap",
		"*v1.Event":                     "several kinds",
		"*v1.Gadget":                    "InformerOptions.Kind",
		"*unstructured.Unstructured":    "InformerOptions.Kind",
		"*v1.PartialObjectMetadataList": "InformerOptions.Kind",
	} {
		got, _, err := schemes.OfName(name)
		if got.String() != want && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
}
