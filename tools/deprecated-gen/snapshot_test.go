// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// All of client-go's own clientset: 50 groups and more, kinds of the cluster and of namespaces,
// with and without status, with scale, tokens, approval, and methods written by hand. What
// must be in it is pinned by code that uses it as one did before contexts.
func TestTheSnapshotOfClientGoCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles hundreds of packages")
	}
	dir := module(t)
	if err := run(config{
		clientset: "k8s.io/client-go/kubernetes", outputPkg: "snap/deprecated",
		outputDir: filepath.Join(dir, "deprecated"), dir: dir, getters: "concrete",
	}); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "use/use.go", read(t, "testdata/kubernetes/use.go.txt"))
	put(t, dir, "use/use_test.go", read(t, "testdata/kubernetes/use_test.go.txt"))
	mustGo(t, dir, "build", "./...")
	mustGo(t, dir, "test", "./use")
}

// A clientset with everything that is easily got wrong. See the archive's comment.
func TestTheSnapshotOfAnOddClientsetCompiles(t *testing.T) {
	dir := module(t)
	archive, err := txtar.ParseFile("testdata/odd/odd.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range archive.Files {
		put(t, dir, file.Name, string(file.Data))
	}
	c := config{clientset: "snap/odd", outputPkg: "snap/deprecated", outputDir: filepath.Join(dir, "deprecated"), dir: dir, getters: "concrete"}
	set, err := load(c)
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate(c, set)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(c.outputDir, files); err != nil {
		t.Fatal(err)
	}
	mustGo(t, dir, "vet", "./...")
	if got, want := strings.Join(set.leftOut, " "), "snap/odd/typed/x/v1.Helper snap/odd/typed/x/v1.Variable"; got != want {
		t.Errorf("left out: %s, want %s", got, want)
	}
}

func TestAMethodInTheWayIsAnError(t *testing.T) {
	dir := module(t)
	archive, err := txtar.ParseFile("testdata/odd/odd.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range archive.Files {
		text := strings.Replace(string(file.Data), "AloneWithContext(", "WithContext(", 1)
		put(t, dir, file.Name, text)
	}
	err = run(config{clientset: "snap/odd", outputPkg: "snap/deprecated", outputDir: filepath.Join(dir, "deprecated"), dir: dir, getters: "concrete"})
	if err == nil || !strings.Contains(err.Error(), "WithContext") {
		t.Errorf("error %v, want one about WithContext", err)
	}
}
