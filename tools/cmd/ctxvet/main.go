// SPDX-License-Identifier: Apache-2.0

// Command ctxvet reports code that drops, stores or ignores a context.
//
//	go vet -vettool=$(which ctxvet) ./...
//	ctxvet ./...
//	ctxvet -ctxblock -fix -diff ./...
//
// A finding is answered by a comment on its line or the line above that gives the reason:
//
//	//ctxvet:ok ctxgo: joined by Close
package main

import (
	"github.com/lanyard-k8s/lanyard/tools/internal/fixes"
	"github.com/lanyard-k8s/lanyard/tools/internal/suite"
)

func main() { fixes.Main(suite.Vet()...) }
