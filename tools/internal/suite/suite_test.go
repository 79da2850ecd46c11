// SPDX-License-Identifier: Apache-2.0

package suite_test

import (
	"bytes"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/lanyard-k8s/lanyard/tools/ctxblock"
	"github.com/lanyard-k8s/lanyard/tools/ctxitem"
	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/suite"
)

// fixing are the analyzers that offer fixes, those of the editor too.
func fixing() []*analysis.Analyzer {
	return append(suite.Fixers(), ctxblock.Analyzer, ctxitem.Analyzer)
}

// gopath is a copy of the goldens' sources, and the environment in which they build.
func gopath(t *testing.T) (dir string, env []string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata")); err != nil {
		t.Fatal(err)
	}
	return dir, append(os.Environ(), "GO111MODULE=off", "GOFLAGS=", "GOPATH="+dir)
}

func TestValidAnalyzers(t *testing.T) {
	for _, as := range [][]*analysis.Analyzer{suite.Vet(), suite.Fixers()} {
		if err := analysis.Validate(as); err != nil {
			t.Error(err)
		}
	}
}

func TestAnswersNeedAnAnalyzerAndAReason(t *testing.T) {
	dir, env := gopath(t)
	graph := analyze(t, dir, env, []*analysis.Analyzer{answer.Form(fixing())}, "ctxanswer")
	var got []string
	for act := range graph.All() {
		for _, d := range act.Diagnostics {
			got = append(got, d.Message)
		}
	}
	if len(got) != 5 { // ctxgo is not among those that fix
		t.Errorf("got %d findings, want 5: %s", len(got), strings.Join(got, "\n"))
	}
}

func analyze(t *testing.T, dir string, env []string, as []*analysis.Analyzer, patterns ...string) *checker.Graph {
	t.Helper()
	cfg := &packages.Config{Mode: packages.LoadAllSyntax, Dir: dir, Env: env, Tests: true}
	pkgs, err := packages.Load(cfg, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	graph, err := checker.Analyze(as, pkgs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return graph
}

func TestNoTwoFixesOverlap(t *testing.T) {
	dir, env := gopath(t)
	graph := analyze(t, dir, env, fixing(), "./src/ctx...")
	type span struct {
		file       string
		start, end int
		by         string
	}
	var spans []span
	for act := range graph.All() {
		if !act.IsRoot || strings.Contains(act.Package.ID, "[") { // a test's build has the same edits
			continue
		}
		for _, d := range act.Diagnostics {
			for _, f := range d.SuggestedFixes {
				for _, e := range f.TextEdits {
					from, to := act.Package.Fset.Position(e.Pos), act.Package.Fset.Position(e.End)
					spans = append(spans, span{from.Filename, from.Offset, to.Offset, act.Analyzer.Name + ": " + d.Message})
				}
			}
		}
	}
	if len(spans) < 50 {
		t.Fatalf("only %d edits: the goldens were not analyzed", len(spans))
	}
	for i, a := range spans {
		for _, b := range spans[:i] {
			if a.file == b.file && a.start < max(b.end, b.start+1) && b.start < max(a.end, a.start+1) && a != b && !(a.start == b.start && (a.start == a.end) != (b.start == b.end)) {
				t.Errorf("%s:%d: overlapping edits\n\t%s\n\t%s", a.file, a.start, a.by, b.by)
			}
		}
	}
}

func TestAllFixesAtOnceBuildAndEachLeavesNothingToASecondRun(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "ctxvet")
	if out, err := exec.Command("go", "build", "-o", tool, "../../cmd/ctxvet").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var all []string
	for _, a := range fixing() {
		all = append(all, "-"+a.Name)
		t.Run(a.Name, func(t *testing.T) {
			dir, env := gopath(t)
			fix(t, tool, dir, env, "-"+a.Name)
			once := sources(t, dir)
			fix(t, tool, dir, env, "-"+a.Name)
			for name, text := range sources(t, dir) {
				if !bytes.Equal(text, once[name]) {
					t.Errorf("a second run changes %s", name)
				}
			}
		})
	}
	dir, env := gopath(t)
	fix(t, tool, dir, env, all...)
	for name, text := range sources(t, dir) {
		if formatted, err := format.Source(text); err != nil || !bytes.Equal(formatted, text) {
			t.Errorf("%s is not gofmt-clean: %v", name, err)
		}
	}
	cmd := exec.Command("go", "vet", "./src/ctx...")
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("what the fixes leave does not pass go vet: %v\n%s", err, out)
	}
}

// fix runs the tool, whose exit code says only that there were findings.
func fix(t *testing.T, tool, dir string, env []string, flags ...string) {
	t.Helper()
	cmd := exec.Command(tool, append(flags, "-fix", "./src/ctx...")...)
	cmd.Dir, cmd.Env = dir, env
	out, _ := cmd.CombinedOutput()
	if strings.Contains(string(out), "overlap") || strings.Contains(string(out), "conflict") {
		t.Errorf("%s", out)
	}
}

func sources(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		found[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
