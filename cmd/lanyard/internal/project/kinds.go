// SPDX-License-Identifier: Apache-2.0

package project

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/names"
)

// Kind is a kind of a project.
type Kind struct {
	Group, Version, Kind string
	Plural               string
	Folder               string // of the group, below api
	Namespaced           bool
}

// Kinds returns the kinds in api/GROUP/VERSION: the types that clients are generated for. The group is the one that
// the generators go by, after +groupName= in the comment of the package. A version without kinds has an entry without
// a kind.
func (p *Project) Kinds() ([]Kind, error) {
	var kinds []Kind
	docs, err := filepath.Glob(filepath.Join(p.Dir, "api", "*", "*", "doc.go"))
	if err != nil {
		return nil, err
	}
	for _, doc := range docs {
		folder := filepath.Dir(doc)
		of := Kind{Version: filepath.Base(folder), Folder: filepath.Base(filepath.Dir(folder))}
		found, err := kindsIn(folder, of)
		if err != nil {
			return nil, fmt.Errorf("find the kinds in %s: %w", folder, err)
		}
		kinds = append(kinds, found...)
	}
	return kinds, nil
}

func kindsIn(folder string, of Kind) ([]Kind, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	var types []Kind
	for _, name := range files {
		if strings.HasPrefix(filepath.Base(name), "zz_generated.") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		content, err := os.ReadFile(name) //nolint:gosec // a file of the project
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if found := groupName.FindStringSubmatch(comment(file.Doc)); found != nil {
			of.Group = found[1]
		}
		types = append(types, kindsOf(file)...)
	}
	if of.Group == "" {
		return nil, fmt.Errorf("the package has no comment with +groupName=GROUP, by which the generators go")
	}
	if len(types) == 0 {
		return []Kind{of}, nil
	}
	for i := range types {
		types[i].Group, types[i].Version, types[i].Folder = of.Group, of.Version, of.Folder
	}
	return types, nil
}

// kindsOf returns the types of a file with +genclient. The marker may be in a comment of its own, above that of the type.
func kindsOf(file *ast.File) []Kind {
	var kinds []Kind
	end := file.Name.End()
	for _, decl := range file.Decls {
		above := end
		end = decl.End()
		general, ok := decl.(*ast.GenDecl)
		if !ok || general.Tok != token.TYPE || len(general.Specs) != 1 {
			continue
		}
		var text strings.Builder
		for _, group := range file.Comments {
			if group.Pos() > above && group.End() < general.TokPos {
				text.WriteString(comment(group))
			}
		}
		if spec, ok := general.Specs[0].(*ast.TypeSpec); ok && genclient.MatchString(text.String()) {
			kinds = append(kinds, kindOf(spec.Name.Name, text.String()))
		}
	}
	return kinds
}

func kindOf(name, text string) Kind {
	kind := Kind{Kind: name, Plural: names.Plural(name), Namespaced: !nonNamespaced.MatchString(text)}
	if found := resourcePath.FindStringSubmatch(text); found != nil {
		kind.Plural = found[1]
	}
	return kind
}

// comment returns the lines of a comment. Text() would leave out lines such as //go:build, and none that is wanted here.
func comment(group *ast.CommentGroup) string {
	if group == nil {
		return ""
	}
	var text strings.Builder
	for _, line := range group.List {
		text.WriteString(strings.TrimSpace(strings.TrimPrefix(line.Text, "//")) + "\n")
	}
	return text.String()
}

var (
	groupName     = regexp.MustCompile(`(?m)^\+groupName=(\S+)$`)
	genclient     = regexp.MustCompile(`(?m)^\+genclient$`)
	nonNamespaced = regexp.MustCompile(`(?m)^\+genclient:nonNamespaced$`)
	resourcePath  = regexp.MustCompile(`(?m)^\+kubebuilder:resource:(?:.*,)?path="?([a-z0-9-]+)`)
)
