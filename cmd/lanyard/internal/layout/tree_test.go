// SPDX-License-Identifier: Apache-2.0

package layout_test

import (
	"bytes"
	"flag"
	"go/format"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/layout"
)

var update = flag.Bool("update", false, "write testdata/tree.txtar anew")

const module = "example.com/shop/widget-operator"

// tree is a project with two kinds in one group, one of the same name in another, and two more controllers.
func tree(t *testing.T) []layout.File {
	t.Helper()
	var all []layout.File
	add := func(files []layout.File, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, files...)
	}
	add(layout.Project{
		Module: module, Name: "widget-operator", Go: "1.26.0", Lanyard: layout.Lanyard{Version: "v0.9.0"},
	}.Files())
	shop := layout.Kind{Module: module, Group: "shop.example.com", Version: "v1alpha1", Folder: "shop"}
	widget, policy := shop, shop
	widget.Kind, widget.Name, widget.Plural = "Widget", "Widget", "widgets"
	policy.Kind, policy.Name, policy.Plural = "Policy", "Policy", "rules"
	add(widget.Files(true))
	add(policy.Files(false))
	add(layout.Kind{
		Module: module, Group: "shop.other.example.com", Version: "v1", Folder: "shopother", Kind: "Widget",
		Name: "ShopotherWidget", Plural: "widgets",
	}.Files(true))
	pods := layout.Controller{Controller: "pod-counter", BuiltIn: true, Package: "k8s.io/api/core/v1", Namespaced: true}
	pods.Kind = layout.Kind{Module: module, Version: "v1", Kind: "Pod", Plural: "pods", Folder: "core", Name: "PodCounter"}
	add(pods.Files())
	own := layout.Controller{Controller: "pricer", Package: module + "/api/shop/v1alpha1", Namespaced: true, Kind: widget}
	own.Name = "Pricer"
	add(own.Files())
	return all
}

// TestTheTreeIsTheOneThatWasReviewed compares with testdata/tree.txtar, so that a change of a template is seen as what
// it changes in a project. `go test ./internal/layout -update` writes the file anew.
func TestTheTreeIsTheOneThatWasReviewed(t *testing.T) {
	archive := &txtar.Archive{Comment: []byte("# Made by `go test ./internal/layout -update`.\n")}
	for _, file := range tree(t) {
		archive.Files = append(archive.Files, txtar.File{Name: file.Path, Data: file.Content})
	}
	slices.SortFunc(archive.Files, func(a, b txtar.File) int { return strings.Compare(a.Name, b.Name) })
	made := txtar.Format(archive)
	const golden = "testdata/tree.txtar"
	if *update {
		if err := os.WriteFile(golden, made, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(made), "\n")); difference != "" {
		t.Errorf("the tree is another one than in %s: look at the changes, and run the test with -update:\n%s", golden, difference)
	}
}

func TestTheGoCodeOfAProjectIsFormatted(t *testing.T) {
	for _, file := range tree(t) {
		if !strings.HasSuffix(file.Path, ".go") {
			continue
		}
		formatted, err := format.Source(file.Content)
		if err != nil {
			t.Errorf("%s: %v", file.Path, err)
		} else if !bytes.Equal(formatted, file.Content) {
			t.Errorf("%s is not formatted", file.Path)
		}
	}
}

func TestTheMainOfAProjectHasAtMost40LinesAndItsRunUnder100(t *testing.T) {
	limits := map[string]int{"main.go": 40, "hack/run/main.go": 99}
	for _, file := range tree(t) {
		if limit, ok := limits[file.Path]; ok {
			delete(limits, file.Path)
			if lines := bytes.Count(file.Content, []byte("\n")); lines > limit {
				t.Errorf("%s has %d lines, more than %d", file.Path, lines, limit)
			}
		}
	}
	if len(limits) > 0 {
		t.Errorf("not there: %v", limits)
	}
}

func TestNoFileOfAProjectIsMadeTwice(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range tree(t) {
		if seen[file.Path] {
			t.Errorf("%s is made twice", file.Path)
		}
		seen[file.Path] = true
	}
}

// TestTheToolsAreTheOnesThatThisRepositoryUses compares versions with tools/generate/go.mod.
func TestTheToolsAreTheOnesThatThisRepositoryUses(t *testing.T) {
	ours, err := os.ReadFile("../../../../tools/generate/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var theirs []string
	for _, file := range tree(t) {
		if file.Path == "tools/go.mod" {
			theirs = strings.Split(string(file.Content), "\n")
		}
	}
	for line := range strings.Lines(string(ours)) {
		if line = strings.TrimRight(line, "\n"); !strings.HasPrefix(line, "module ") && !slices.Contains(theirs, line) {
			t.Errorf("tools/go.mod of a project has no line %q: copy it from tools/generate/go.mod", line)
		}
	}
}
