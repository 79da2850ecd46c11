// SPDX-License-Identifier: Apache-2.0

package ctxlanyard_test

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/lanyard-k8s/lanyard/tools/ctxlanyard"
	"github.com/lanyard-k8s/lanyard/tools/ctxsibling"
)

func TestReportsAndSilencesAreThoseOfTheGoldens(t *testing.T) {
	dir, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	analysistest.Run(t, dir, ctxlanyard.Analyzer, "ctxlanyard", "ctxlanyard/without")
	analysistest.Run(t, dir, ctxsibling.Analyzer, "ctxlanyard/advised")
}
