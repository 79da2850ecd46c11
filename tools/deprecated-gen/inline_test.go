// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// The story of a caller: its imports already name the snapshot, `go fix -inline` writes contexts
// where it can, and what is left are those calls of which the package comment says so.
func TestGoFixMovesCallersToContexts(t *testing.T) {
	dir := module(t)
	caller := filepath.Join(dir, "caller", "caller.go")
	put(t, dir, "caller/caller.go", read(t, "testdata/inline/before.go.txt"))
	mustGo(t, dir, "vet", "./caller")
	mustGo(t, dir, "fix", "-inline", "./caller")
	after := read(t, caller)
	if want := read(t, "testdata/inline/after.go.txt"); after != want {
		t.Errorf("go fix -inline made:\n%s\nwant:\n%s", after, want)
	}
	mustGo(t, dir, "vet", "./caller")

	mustGo(t, dir, "fix", "-inline", "./caller")
	if read(t, caller) != after {
		t.Error("a second run changed it again")
	}
}

// The last step: no old call is left, so the import and WithContext go.
func TestAnInlinedCallerLeavesTheSnapshotByTextAlone(t *testing.T) {
	dir := module(t)
	caller := filepath.Join(dir, "caller", "caller.go")
	put(t, dir, "caller/caller.go", read(t, "testdata/inline/easy.go.txt"))
	mustGo(t, dir, "fix", "-inline", "./caller")
	text := strings.ReplaceAll(read(t, caller), ".WithContext()", "")
	put(t, dir, "caller/caller.go", strings.ReplaceAll(text, "clientset/deprecated", "clientset/versioned"))
	mustGo(t, dir, "vet", "./caller")
}

func TestGettersCanReturnInterfacesAgain(t *testing.T) {
	dir := module(t)
	c := flunders(t)
	c.getters, c.dir, c.outputPkg, c.outputDir = "interface", dir, "snap/deprecated", filepath.Join(dir, "deprecated")
	if err := run(c); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "mock/mock.go", read(t, "testdata/inline/mock.go.txt"))
	mustGo(t, dir, "vet", "./...")
}
