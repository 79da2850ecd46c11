// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// Apply applies the objects of a manifest, which have no namespace, and deletes them at the end of the
// test. edit, unless it is nil, may change each before.
func (e *Env) Apply(path string, edit func(*unstructured.Unstructured)) {
	e.Helper()
	for _, object := range e.read(path) {
		if edit != nil {
			edit(object)
		}
		client := e.clientFor(object)
		_, err := client.Apply(e.Context(), object.GetName(), object, metav1.ApplyOptions{FieldManager: "test", Force: true})
		e.Must(err)
		e.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(e.Context()), 10*time.Second) // the test's has ended
			defer cancel()
			if err := client.Delete(ctx, object.GetName(), metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
				e.Must(err)
			}
		})
	}
}

// DefineFlunders defines the kind Flunder, and waits until the API server serves it. The definition
// stays for the other tests of the package.
func (e *Env) DefineFlunders() {
	e.Helper()
	for _, definition := range e.read("../../config/crd/bases/wardle.example.com_flunders.yaml") {
		_, err := e.clientFor(definition).Apply(e.Context(), definition.GetName(), definition,
			metav1.ApplyOptions{FieldManager: "test", Force: true})
		e.Must(err)
	}
	client, err := discovery.NewDiscoveryClientForConfig(e.Config())
	e.Must(err)
	e.Eventually("Flunders are served", func() bool {
		served, err := client.ServerResourcesForGroupVersionWithContext(e.Context(), "wardle.example.com/v1beta1")
		return err == nil && len(served.APIResources) > 0
	})
}

func (e *Env) read(path string) (objects []*unstructured.Unstructured) {
	e.Helper()
	text, err := os.ReadFile(path)
	e.Must(err)
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), len(text)); ; {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		e.Must(err)
		if len(object.Object) > 0 { // a document may be a comment only
			objects = append(objects, object)
		}
	}
}

func (e *Env) clientFor(object *unstructured.Unstructured) dynamic.ResourceInterface {
	e.Helper()
	client, err := dynamic.NewForConfig(e.Config())
	e.Must(err)
	resource, _ := meta.UnsafeGuessKindToResource(object.GroupVersionKind()) // right for the kinds of our manifests
	return client.Resource(resource)
}
