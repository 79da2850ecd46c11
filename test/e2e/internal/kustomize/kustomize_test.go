// SPDX-License-Identifier: Apache-2.0

package kustomize_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kustomize"
)

func TestObjectsComeInTheOrderInWhichTheyCanBeApplied(t *testing.T) {
	dir := write(t, map[string]string{
		"kustomization.yaml": "resources: [config.yaml, namespace.yaml]\n",
		"config.yaml":        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}\ndata: {replicas: \"1\"}\n",
		"namespace.yaml":     "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
	})
	objects, err := kustomize.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range objects {
		got = append(got, o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName())
	}
	if diff := cmp.Diff([]string{"Namespace /n", "ConfigMap n/a"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestADeprecatedFieldIsAnError(t *testing.T) {
	for _, field := range []string{
		"commonLabels: {a: b}",
		"patchesStrategicMerge: [patch.yaml]",
		"bases: [base]",
	} {
		dir := write(t, map[string]string{
			"kustomization.yaml":      "resources: [config.yaml]\n" + field + "\n",
			"config.yaml":             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
			"patch.yaml":              "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {c: d}\n",
			"base/kustomization.yaml": "resources: [base.yaml]\n",
			"base/base.yaml":          "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
		})
		_, err := kustomize.Build(dir)
		name, _, _ := strings.Cut(field, ":")
		if !errors.Is(err, kustomize.ErrWarning) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want a warning that names it", field, err)
		}
	}
}

func TestADeprecatedFieldOfABaseIsAnError(t *testing.T) {
	dir := write(t, map[string]string{
		"kustomization.yaml":      "resources: [base]\n",
		"base/kustomization.yaml": "resources: [base.yaml]\ncommonLabels: {a: b}\n",
		"base/base.yaml":          "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
	})
	_, err := kustomize.Build(dir)
	if !errors.Is(err, kustomize.ErrWarning) || !strings.Contains(err.Error(), filepath.Join("base", "kustomization.yaml")) {
		t.Errorf("got %v, want a warning that names the base's file", err)
	}
}

func TestAMissingKustomizationIsAnErrorThatNamesIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nothing")
	if _, err := kustomize.Build(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want an error that names %s", err, dir)
	}
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
