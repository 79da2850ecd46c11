// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/test/internal/kustomize"
)

const config = "../../config"

// kustomizations are all that the repository has, and overlays as a user would write them. config/metrics only
// patches what others have, and so is built as part of one.
func kustomizations(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(config, "*", "kustomization.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("kustomizations below %s: %v, %v", config, files, err)
	}
	dirs := []string{"testdata/overlay", "testdata/metrics"}
	for _, file := range files {
		if dir := filepath.Dir(file); dir != filepath.Join(config, "metrics") {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func build(t *testing.T, dir string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := kustomize.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// only returns the one object of a kind, as its type.
func only[T any](t *testing.T, objects []*unstructured.Unstructured, kind string) *T {
	t.Helper()
	found := all[T](t, objects, kind)
	if len(found) != 1 {
		t.Fatalf("got %d objects of kind %s, want one", len(found), kind)
	}
	return found[0]
}

// all returns the objects of a kind. A field that the type does not have is an error: the
// server would warn of it.
func all[T any](t *testing.T, objects []*unstructured.Unstructured, kind string) []*T {
	t.Helper()
	var found []*T
	for _, object := range objects {
		if object.GetKind() != kind {
			continue
		}
		typed := new(T)
		err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, typed, true)
		if err != nil {
			t.Fatalf("%s %s: %v", kind, object.GetName(), err)
		}
		found = append(found, typed)
	}
	return found
}
