// SPDX-License-Identifier: Apache-2.0

package ctxgo_test

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/lanyard-k8s/lanyard/tools/ctxgo"
)

func TestReportsFixesAndSilencesAreThoseOfTheGoldens(t *testing.T) {
	dir, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	analysistest.Run(t, dir, ctxgo.Analyzer, "ctxgo")
	if err := ctxgo.Analyzer.Flags.Set("all", "true"); err != nil {
		t.Fatal(err)
	}
	analysistest.Run(t, dir, ctxgo.Analyzer, "ctxgoall")
}
