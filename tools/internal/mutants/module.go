// SPDX-License-Identifier: Apache-2.0

package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
)

// Module is the packages of a module whose code is changed, and whose tests are to notice.
type Module struct {
	dir      string
	packages map[string]*listed
}

// listed is what `go list` says of a package.
type listed struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func (p *listed) isTested() bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 }

// Load lists the packages that the patterns match, and all others of the module in dir, whose tests may notice.
func Load(ctx context.Context, dir string, patterns ...string) (m *Module, matched []string, err error) {
	m = &Module{dir: dir, packages: map[string]*listed{}}
	all, err := list(ctx, dir, "./...")
	if err != nil {
		return nil, nil, err
	}
	for _, p := range all {
		m.packages[p.ImportPath] = p
	}
	chosen, err := list(ctx, dir, patterns...)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range chosen {
		matched = append(matched, p.ImportPath)
	}
	return m, matched, nil
}

func list(ctx context.Context, dir string, patterns ...string) (all []*listed, err error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-json"}, patterns...)...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages %q: %w\n%s", patterns, err, stderr.Bytes())
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		p := &listed{}
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// Mutants returns the mutants of packages.
func (m *Module) Mutants(packages []string) (all []*Mutant, err error) {
	for _, path := range packages {
		p := m.packages[path]
		for _, file := range p.GoFiles {
			found, err := Find(filepath.Join(p.Dir, file), path)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

// rings is how far a package may be from the changed one for its tests to be asked: 1 for those that import it.
const rings = 2

// tests returns the packages whose tests may notice a change of a package: its own, and then those of the packages
// that depend on it, the nearest first, and not those that are too far.
func (m *Module) tests(of string) (own bool, others []string) {
	reached := map[string]bool{of: true}
	ring := []string{of}
	for range rings {
		var next []string
		for path, p := range m.packages {
			if reached[path] || !slices.ContainsFunc(slices.Concat(p.Imports, p.TestImports, p.XTestImports), func(i string) bool { return slices.Contains(ring, i) }) {
				continue
			}
			reached[path] = true
			if p.isTested() {
				others = append(others, path)
			}
			next = append(next, path)
		}
		slices.Sort(next)
		ring = next
	}
	return m.packages[of].isTested(), others
}
