// SPDX-License-Identifier: Apache-2.0

package suite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/lanyard-k8s/lanyard/tools/internal/suite"
)

func TestThePassesOfOthersRunAreNarrowedAndCanBeAnswered(t *testing.T) {
	dir, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lostcancel", "noctx", "SA1012", "SA1019"} {
		t.Run(name, func(t *testing.T) {
			analysistest.Run(t, dir, byName(t, name), "others/"+strings.ToLower(name))
		})
	}
}

func TestFatcontextIsSilentUntilItIsTurnedOn(t *testing.T) {
	dir, env := gopath(t)
	fat := byName(t, "fatcontext")
	for act := range analyze(t, dir, env, []*analysis.Analyzer{fat}, "others/fatcontext").All() {
		for _, d := range act.Diagnostics {
			if !strings.Contains(d.Message, "answers nothing") {
				t.Errorf("off, but reports: %s", d.Message)
			}
		}
	}
	if err := fat.Flags.Set("on", "true"); err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	analysistest.Run(t, abs, fat, "others/fatcontext")
}

func TestUsetestingSaysNothingButAboutContextsAndThatWhenAsked(t *testing.T) {
	dir, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	use := byName(t, "usetesting")
	analysistest.Run(t, dir, use, "others/usetesting")
	if err := use.Flags.Set("contextbackground", "true"); err != nil {
		t.Fatal(err)
	}
	analysistest.Run(t, dir, use, "others/usetestingasked")
}

func byName(t *testing.T, name string) *analysis.Analyzer {
	t.Helper()
	for _, a := range suite.Vet() {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("ctxvet has no %s", name)
	return nil
}
