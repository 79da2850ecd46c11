// SPDX-License-Identifier: Apache-2.0

package kits_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
	"github.com/lanyard-k8s/lanyard/internal/apitranscript"
	"github.com/lanyard-k8s/lanyard/test/crds"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/repo"
)

var write = flag.Bool("write-answers", false, "keep the answers of the real API server in internal/apitranscript")

// TestTheAPIInMemoryAnswersAsARealOne to a series of calls.
func TestTheAPIInMemoryAnswersAsARealOne(t *testing.T) {
	onEachVersion(t, func(t *testing.T, config *rest.Config) {
		if err := crds.InstallObjects(t.Context(), config, crd("gadgets", "Gadget", "v1")); err != nil {
			t.Fatal(err)
		}
		api := virtualtest.NewAPI(t, virtualtest.Resource{Group: "example.com", Version: "v1", Kind: "Gadget"})
		want, got := apitranscript.Play(t.Context(), config), apitranscript.Play(t.Context(), api.Config())
		for i := range max(len(want), len(got)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Errorf("line %d:\na real one: %s\nin memory:  %s", i, want[min(i, len(want)-1)], got[min(i, len(got)-1)])
			}
		}
		keep(t, want)
		if kept, err := apitranscript.Answers(); err != nil || !slices.Equal(want, kept) {
			t.Error("internal/apitranscript/answers.txt has others: run this test with -args -write-answers")
		}
		t.Logf("%d answers, such as\n%s", len(want), strings.Join(want[:min(5, len(want))], "\n"))
	})
}

// keep writes answers to where the tests of the API in memory find them.
func keep(t *testing.T, answers []string) {
	t.Helper()
	if !*write {
		return
	}
	root, err := repo.Root()
	if err == nil {
		err = os.WriteFile(filepath.Join(root, "internal", "apitranscript", "answers.txt"), []byte(strings.Join(answers, "\n")+"\n"), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
