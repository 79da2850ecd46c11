// SPDX-License-Identifier: Apache-2.0

package mutants_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/tools/internal/mutants"
)

func TestEachChangeHasTheVerdictOfTheTests(t *testing.T) {
	dir, err := filepath.Abs("testdata/module")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "sum", "sum.go")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	module, packages, err := mutants.Load(t.Context(), dir, "./sum")
	if err != nil {
		t.Fatal(err)
	}
	all, err := module.Mutants(packages)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]mutants.Verdict{}
	_, survivors, err := module.Try(t.Context(), all, mutants.Options{
		Number: 100, Seed: 1, Timeout: time.Minute,
		Tell: func(m *mutants.Mutant, v mutants.Verdict, _ time.Duration) { got[m.What+" "+m.Text] = v },
	})
	if err != nil {
		t.Fatal(err)
	}
	for change, want := range map[string]mutants.Verdict{
		"negated n > 0":    mutants.KilledByOwn,
		"dropped sum += n": mutants.KilledByOwn,
		"dropped n *= 2":   mutants.KilledByOthers,
		"dropped calls++":  mutants.Survived,
	} {
		if got[change] != want {
			t.Errorf("%s: %q, want %q", change, got[change], want)
		}
	}
	if len(got) != 4 || len(survivors) != 1 {
		t.Errorf("%d changes were tried, and %d were not noticed: %v", len(got), len(survivors), got)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the module was changed: %v", err)
	}
}
