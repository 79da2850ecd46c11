// SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Graph is which files of a package use which others.
type Graph struct {
	Package string
	Files   []string
	uses    map[string]map[string]bool
}

// GraphOf returns the graph of a package's files. A file uses another if it names a type, function, constant,
// variable or method of a type that is declared there, or a field of a type that is.
func GraphOf(p Package) Graph {
	g := Graph{Package: p.PkgPath, uses: map[string]map[string]bool{}}
	written := map[string]bool{}
	for _, f := range p.Files {
		written[f.Name] = true
		g.Files = append(g.Files, f.Name)
	}
	for _, f := range p.Files {
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			name, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			used := p.TypesInfo.Uses[name]
			if used == nil || used.Pkg() != p.Types || !isShared(used, p.Types) {
				return true
			}
			in := filepath.Base(p.Fset.Position(used.Pos()).Filename)
			if in != f.Name && written[in] {
				if g.uses[f.Name] == nil {
					g.uses[f.Name] = map[string]bool{}
				}
				g.uses[f.Name][in] = true
			}
			return true
		})
	}
	slices.Sort(g.Files)
	return g
}

// isShared reports whether an object belongs to its package or to a type of it, and not to a function.
func isShared(o types.Object, p *types.Package) bool {
	switch o := o.(type) {
	case *types.Var:
		return o.IsField() || o.Parent() == p.Scope()
	case *types.Func:
		return true
	default:
		return o.Parent() == p.Scope()
	}
}

// Edges returns the number of pairs of files of which the first uses the second.
func (g Graph) Edges() int {
	n := 0
	for _, used := range g.uses {
		n += len(used)
	}
	return n
}

// MutualPairs returns the pairs of files that use each other.
func (g Graph) MutualPairs() []string {
	var pairs []string
	for _, a := range g.Files {
		for _, b := range g.Files {
			if a < b && g.uses[a][b] && g.uses[b][a] {
				pairs = append(pairs, a+" <-> "+b)
			}
		}
	}
	return pairs
}

// Cycles returns the largest sets of files in which each uses each other, directly or through others.
func (g Graph) Cycles() [][]string {
	reach := map[string]map[string]bool{}
	for _, f := range g.Files {
		reach[f] = map[string]bool{}
		g.collect(f, reach[f])
	}
	var cycles [][]string
	seen := map[string]bool{}
	for _, f := range g.Files {
		if seen[f] || !reach[f][f] {
			continue
		}
		var cycle []string
		for _, other := range g.Files {
			if reach[f][other] && reach[other][f] {
				seen[other] = true
				cycle = append(cycle, other)
			}
		}
		cycles = append(cycles, cycle)
	}
	return cycles
}

func (g Graph) collect(from string, into map[string]bool) {
	for _, next := range slices.Sorted(maps.Keys(g.uses[from])) {
		if !into[next] {
			into[next] = true
			g.collect(next, into)
		}
	}
}

// String returns the graph's numbers in a line, and its pairs and cycles below.
func (g Graph) String() string {
	largest := 0
	var details []string
	for _, pair := range g.MutualPairs() {
		details = append(details, "  pair:  "+pair)
	}
	for _, cycle := range g.Cycles() {
		largest = max(largest, len(cycle))
		details = append(details, "  cycle: "+strings.Join(cycle, ", "))
	}
	line := fmt.Sprintf("%s: %d files, %d edges, %d mutual pairs, largest cycle %d",
		g.Package, len(g.Files), g.Edges(), len(g.MutualPairs()), largest)
	return strings.Join(append([]string{line}, details...), "\n")
}
