// SPDX-License-Identifier: Apache-2.0

// Package suite lists the analyzers of ctxvet and ctxfix.
package suite

import (
	"fmt"
	"strings"

	"github.com/ldez/usetesting"
	"github.com/sonatard/noctx"
	"go.augendre.info/fatcontext/pkg/analyzer"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/lostcancel"
	"honnef.co/go/tools/staticcheck/sa1012"
	"honnef.co/go/tools/staticcheck/sa1019"

	"github.com/lanyard-k8s/lanyard/tools/ctxargs"
	"github.com/lanyard-k8s/lanyard/tools/ctxblock"
	"github.com/lanyard-k8s/lanyard/tools/ctxfield"
	"github.com/lanyard-k8s/lanyard/tools/ctxgo"
	"github.com/lanyard-k8s/lanyard/tools/ctxhandler"
	"github.com/lanyard-k8s/lanyard/tools/ctxitem"
	"github.com/lanyard-k8s/lanyard/tools/ctxlanyard"
	"github.com/lanyard-k8s/lanyard/tools/ctxplumb"
	"github.com/lanyard-k8s/lanyard/tools/ctxsibling"
	"github.com/lanyard-k8s/lanyard/tools/ctxtodo"
	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// Fixers are the analyzers whose fixes can be applied without looking at each in an editor, in
// the order of a migration.
func Fixers() []*analysis.Analyzer {
	return []*analysis.Analyzer{ctxargs.Analyzer, ctxsibling.Analyzer, ctxtodo.Analyzer, ctxplumb.Analyzer}
}

// Vet is all that ctxvet runs: ours, others' passes, and the check of the answers themselves.
func Vet() []*analysis.Analyzer {
	all := append(Fixers(), ctxblock.Analyzer, ctxfield.Analyzer, ctxgo.Analyzer, ctxhandler.Analyzer,
		ctxitem.Analyzer, ctxlanyard.Analyzer)
	for _, other := range []*analysis.Analyzer{
		lostcancel.Analyzer,
		inScope(noctx.Analyzer),
		optIn(analyzer.NewAnalyzer()),
		sa1012.SCAnalyzer.Analyzer,
		aboutContexts(sa1019.SCAnalyzer.Analyzer),
		without(usetesting.NewAnalyzer(), "oschdir", "oscreatetemp", "osmkdirtemp"),
	} {
		all = append(all, answer.Wrap(other))
	}
	return append(all, answer.Form(all))
}

// aboutContexts keeps the findings that name a context: other deprecations are not our affair.
// A test of what is deprecated has to use it.
func aboutContexts(a *analysis.Analyzer) *analysis.Analyzer {
	return narrow(a, func(pass *analysis.Pass, d analysis.Diagnostic) bool {
		return strings.Contains(strings.ToLower(d.Message), "context") && !edit.Test(pass, d.Pos)
	})
}

// inScope keeps the findings where a context is in scope: elsewhere there is none to pass.
func inScope(a *analysis.Analyzer) *analysis.Analyzer {
	return narrow(a, func(pass *analysis.Pass, d analysis.Diagnostic) bool {
		return scope.Nearest(pass.Pkg, d.Pos) != nil
	})
}

// optIn turns a pass off unless its flag on is set, as in -fatcontext.on: most of what fatcontext
// finds in controllers is a context that is built up in a bounded loop or a test's set-up.
func optIn(a *analysis.Analyzer) *analysis.Analyzer {
	off := *a
	on := off.Flags.Bool("on", false, "run this pass, which has more false alarms than others")
	off.Run = func(pass *analysis.Pass) (any, error) {
		if !*on {
			return nil, nil
		}
		return a.Run(pass)
	}
	return &off
}

// without turns flags of a pass off by default: what they look for has nothing to do with contexts.
func without(a *analysis.Analyzer, flags ...string) *analysis.Analyzer {
	for _, name := range flags {
		f := a.Flags.Lookup(name)
		if err := a.Flags.Set(name, "false"); err != nil {
			panic(fmt.Sprintf("%s has no flag %s any more: %v", a.Name, name, err))
		}
		f.DefValue = "false"
	}
	return a
}

// narrow keeps those of another's findings that keep says and that are not in generated files,
// where a person cannot act on them.
func narrow(a *analysis.Analyzer, keep func(*analysis.Pass, analysis.Diagnostic) bool) *analysis.Analyzer {
	narrowed := *a
	narrowed.Run = func(pass *analysis.Pass) (any, error) {
		inner := *pass
		inner.Report = func(d analysis.Diagnostic) {
			if keep(pass, d) && !edit.Generated(pass, d.Pos) {
				pass.Report(d)
			}
		}
		return a.Run(&inner)
	}
	return &narrowed
}
