// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kustomize"
)

const config = "../../../config"

// kustomizations are all that the repository has, and overlays as a user would write them. Some components patch what
// others have, and so are built as parts of such.
func kustomizations(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(config, "*", "kustomization.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("kustomizations below %s: %v, %v", config, files, err)
	}
	dirs := []string{"testdata/overlay", "testdata/metrics", "testdata/podwatch", "testdata/shards", "testdata/secure"}
	var patches []string
	for _, name := range []string{"metrics", "shards", "secure", "page"} {
		patches = append(patches, filepath.Join(config, name))
	}
	for _, file := range files {
		if dir := filepath.Dir(file); !slices.Contains(patches, dir) {
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
