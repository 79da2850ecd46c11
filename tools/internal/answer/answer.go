// SPDX-License-Identifier: Apache-2.0

// Package answer lets a comment answer a finding:
//
//	//ctxvet:ok ctxgo: joined by Close
//
// on the finding's line or on the line above. An answer names the analyzer and gives a reason.
// One without a reason is reported and answers nothing; one that answers nothing is reported too.
package answer

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strings"

	"golang.org/x/tools/go/analysis"
)

const prefix = "//ctxvet:ok"

var form = regexp.MustCompile(`^//ctxvet:ok +([A-Za-z0-9]+): *(\S.*)$`)

// A note is one answer that is well formed.
type note struct {
	pos      token.Pos
	analyzer string
	file     string
	line     int
	used     bool
}

// Wrap returns the analyzer with answered findings taken out and unused answers put in.
func Wrap(a *analysis.Analyzer) *analysis.Analyzer {
	wrapped := *a
	wrapped.Run = func(pass *analysis.Pass) (any, error) {
		notes := find(pass, a.Name)
		inner := *pass
		inner.Report = func(d analysis.Diagnostic) {
			if !answered(pass.Fset, notes, d.Pos) {
				pass.Report(d)
			}
		}
		result, err := a.Run(&inner)
		for _, n := range notes {
			if !n.used && err == nil {
				pass.Reportf(n.pos, "this answer to %s answers nothing: remove it", a.Name)
			}
		}
		return result, err
	}
	return &wrapped
}

// Given reports whether a finding of the analyzer at pos has an answer, for fixes that go beyond
// their finding's line.
func Given(pass *analysis.Pass, analyzer string, pos token.Pos) bool {
	return answered(pass.Fset, find(pass, analyzer), pos)
}

func answered(fset *token.FileSet, notes []*note, pos token.Pos) bool {
	at := fset.Position(pos)
	for _, n := range notes {
		if n.file == at.Filename && (n.line == at.Line || n.line == at.Line-1) {
			n.used = true
			return true
		}
	}
	return false
}

// find returns the well-formed answers to one analyzer. A note at a line's end also answers the
// line below.
func find(pass *analysis.Pass, analyzer string) []*note {
	var notes []*note
	eachComment(pass, func(c *ast.Comment) {
		m := form.FindStringSubmatch(text(c))
		if m == nil || m[1] != analyzer {
			return
		}
		at := pass.Fset.Position(c.Pos())
		notes = append(notes, &note{pos: c.Pos(), analyzer: m[1], file: at.Filename, line: at.Line})
	})
	return notes
}

// text is the comment without what a golden file adds to it.
func text(c *ast.Comment) string {
	t, _, _ := strings.Cut(c.Text, " // want")
	return strings.TrimSpace(t)
}

func eachComment(pass *analysis.Pass, f func(*ast.Comment)) {
	for _, file := range pass.Files {
		for _, group := range file.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, prefix) {
					f(c)
				}
			}
		}
	}
}

// Form returns the analyzer that reports answers which name no analyzer of these or no reason.
func Form(known []*analysis.Analyzer) *analysis.Analyzer {
	names := map[string]bool{}
	for _, a := range known {
		names[a.Name] = true
	}
	return &analysis.Analyzer{
		Name: "ctxanswer",
		Doc:  "report //ctxvet:ok comments that lack the analyzer's name or a reason",
		Run: func(pass *analysis.Pass) (any, error) {
			eachComment(pass, func(c *ast.Comment) {
				if problem := check(text(c), names); problem != "" {
					pass.Reportf(c.Pos(), "%s: write //ctxvet:ok ANALYZER: REASON", problem)
				}
			})
			return nil, nil
		},
	}
}

func check(t string, names map[string]bool) string {
	m := form.FindStringSubmatch(t)
	if m == nil {
		return "this answer gives no analyzer or no reason and answers nothing"
	}
	if !names[m[1]] {
		return fmt.Sprintf("there is no analyzer %s", m[1])
	}
	return ""
}
