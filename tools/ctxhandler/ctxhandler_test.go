// SPDX-License-Identifier: Apache-2.0

package ctxhandler_test

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/lanyard-k8s/lanyard/tools/ctxhandler"
)

func TestReportsAndSilencesAreThoseOfTheGoldens(t *testing.T) {
	dir, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	analysistest.Run(t, dir, ctxhandler.Analyzer, "ctxhandler")
}
