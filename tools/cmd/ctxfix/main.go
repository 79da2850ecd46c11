// SPDX-License-Identifier: Apache-2.0

// Command ctxfix moves code to contexts, one analyzer at a time:
//
//	ctxfix -ctxargs -fix ./...
//	go fix -fixtool=$(which ctxfix) -ctxsibling ./...
//	ctxfix -ctxtodo -fix -diff ./...
//	ctxfix -ctxplumb -fix ./...
//
// Build after each step, and look at each hunk: see docs/migration.md.
package main

import (
	"os"

	"golang.org/x/tools/go/analysis/multichecker"

	"github.com/lanyard-k8s/lanyard/tools/internal/suite"
)

func main() {
	if rest, ok := repairs(os.Args[1:]); ok && os.Getenv(inner) == "" {
		os.Exit(repair(os.Args[1:], rest))
	}
	multichecker.Main(suite.Fixers()...)
}
