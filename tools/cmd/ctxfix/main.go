// SPDX-License-Identifier: Apache-2.0

// Command ctxfix moves code to contexts, one analyzer at a time:
//
//	ctxfix -ctxargs -fix ./...
//	go fix -fixtool=$(which ctxfix) -ctxsibling ./...
//	ctxfix -ctxtodo -fix -diff ./...
//	ctxfix -ctxplumb -fix ./...
//
// With -fix it prints the findings that are left, and exits with 0 only if there are none.
//
// Build after each step, and look at each hunk: see docs/migration.md.
package main

import (
	"github.com/lanyard-k8s/lanyard/tools/internal/fixes"
	"github.com/lanyard-k8s/lanyard/tools/internal/suite"
)

func main() { fixes.Main(suite.Fixers()...) }
