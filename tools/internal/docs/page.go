// SPDX-License-Identifier: Apache-2.0

// Package docs checks the repository's Markdown pages: that their code is code which is compiled, that
// their commands are run somewhere, and that their links lead somewhere.
//
// A block of Go code names the file that it is taken from in a comment above it:
//
//	<!-- the same as the function reconcile in examples/bucket/bucket.go -->
//
// Other blocks may do so too, such as YAML. [Missing] says what "the same" means.
package docs

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// Page is a Markdown page.
type Page struct {
	Path    string // from the root of the repository, with slashes
	Blocks  []Block
	Links   []Link
	Anchors map[string]bool // of the headings
}

// Block is a block of code.
type Block struct {
	Line     int
	Language string
	Source   string // the file that the comment above names; empty if there is none
	Text     string
}

// Link is a link to another page, a file or a picture.
type Link struct {
	Line int
	To   string
}

var (
	source     = regexp.MustCompile(`^<!-- the same as (?:.* in )?(\S+) -->\s*$`)
	attributes = regexp.MustCompile(`\b(?:href|src|srcset)="([^"]*)"`)
)

// Parse reads a page.
func Parse(path string, content []byte) *Page {
	p := &parser{Page: Page{Path: path, Anchors: map[string]bool{}}, content: content}
	document := goldmark.DefaultParser().Parse(text.NewReader(content))
	_ = ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) { // visit returns no error
		if entering {
			p.visit(node)
		}
		return ast.WalkContinue, nil
	})
	return &p.Page
}

type parser struct {
	Page
	content []byte
	line    int // of the last node that has one
}

func (p *parser) visit(node ast.Node) {
	if node.Type() != ast.TypeInline && node.Lines() != nil && node.Lines().Len() > 0 {
		p.line = 1 + bytes.Count(p.content[:node.Lines().At(0).Start], []byte("\n"))
	}
	switch node := node.(type) {
	case *ast.Heading:
		p.addAnchor(node)
	case *ast.FencedCodeBlock:
		p.addBlock(node)
	case *ast.Link:
		p.Links = append(p.Links, Link{p.line, string(node.Destination)})
	case *ast.Image:
		p.Links = append(p.Links, Link{p.line, string(node.Destination)})
	case *ast.HTMLBlock:
		p.addAttributes(node.Lines())
	case *ast.RawHTML:
		p.addAttributes(node.Segments)
	}
}

func (p *parser) addBlock(node *ast.FencedCodeBlock) {
	block := Block{Line: p.line, Language: string(node.Language(p.content)), Text: string(node.Lines().Value(p.content))}
	if above, ok := node.PreviousSibling().(*ast.HTMLBlock); ok {
		comment := strings.TrimSpace(string(above.Lines().Value(p.content)))
		if above.HasClosure() && len(comment) == 0 {
			comment = strings.TrimSpace(string(above.ClosureLine.Value(p.content)))
		}
		if found := source.FindStringSubmatch(comment); found != nil {
			block.Source = found[1]
		}
	}
	p.Blocks = append(p.Blocks, block)
}

func (p *parser) addAttributes(lines *text.Segments) {
	for _, found := range attributes.FindAllSubmatch(lines.Value(p.content), -1) {
		p.Links = append(p.Links, Link{p.line, string(found[1])})
	}
}

// addAnchor adds the anchor that GitHub makes of a heading: letters, digits, hyphens and underscores stay, a
// space is a hyphen, and a heading that is there already gets a number.
func (p *parser) addAnchor(heading *ast.Heading) {
	var words strings.Builder
	_ = ast.Walk(heading, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if leaf, ok := node.(*ast.Text); ok && entering {
			words.Write(leaf.Value(p.content))
		}
		return ast.WalkContinue, nil
	})
	slug := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, words.String())
	anchor := slug
	for n := 1; p.Anchors[anchor]; n++ {
		anchor = fmt.Sprintf("%s-%d", slug, n)
	}
	p.Anchors[anchor] = true
}
