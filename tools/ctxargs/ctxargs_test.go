// SPDX-License-Identifier: Apache-2.0

package ctxargs_test

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/lanyard-k8s/lanyard/tools/ctxargs"
)

func TestReportsFixesAndSilencesAreThoseOfTheGoldens(t *testing.T) {
	dir, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	analysistest.RunWithSuggestedFixes(t, dir, ctxargs.Analyzer, "ctxargs")
}
