// SPDX-License-Identifier: Apache-2.0

package house

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Rules are the packages' allowed imports and the limits of the numbers.
type Rules struct {
	prefix  string // of the packages that the rules are about
	imports map[string][]string
	limits  map[string]float64
}

// ReadRules reads rules from a file. Its lines are
//
//	prefix PATH                    the import path below which the rules hold
//	allow PACKAGE: IMPORT ...      what a package below it may import of those below it
//	limit NAME NUMBER              the highest value of one of [Measures.Values]
//
// and comments that begin with #.
func ReadRules(path string) (*Rules, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the rules: %w", err)
	}
	defer file.Close()
	r := &Rules{imports: map[string][]string{}, limits: map[string]float64{}}
	scanner := bufio.NewScanner(file)
	for number := 1; scanner.Scan(); number++ {
		line, _, _ := strings.Cut(scanner.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := r.read(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number, err)
		}
	}
	return r, scanner.Err()
}

func (r *Rules) read(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "prefix":
		r.prefix = rest
		return nil
	case "allow":
		name, imports, ok := strings.Cut(rest, ":")
		if !ok {
			return fmt.Errorf("%q has no colon: write allow PACKAGE: IMPORT", line)
		}
		r.imports[strings.TrimSpace(name)] = strings.Fields(imports)
		return nil
	case "limit":
		name, value, _ := strings.Cut(rest, " ")
		limit, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			return fmt.Errorf("%q: write limit NAME NUMBER: %w", line, err)
		}
		r.limits[name] = limit
		return nil
	default:
		return fmt.Errorf("%q begins with none of prefix, allow and limit", line)
	}
}

// Violations returns what breaks the rules, each in a line: files that use each other, imports that are not
// allowed, packages without a rule, rules that no code needs, and numbers above their limits.
func (r *Rules) Violations(all []Package, m Measures) []string {
	var found []string
	seen := map[string]bool{}
	for _, p := range all {
		g := GraphOf(p)
		for _, pair := range g.MutualPairs() {
			found = append(found, fmt.Sprintf("%s: files use each other: %s", p.PkgPath, pair))
		}
		for _, cycle := range g.Cycles() {
			found = append(found, fmt.Sprintf("%s: files are in a cycle: %s", p.PkgPath, strings.Join(cycle, ", ")))
		}
		if name, ok := r.short(p.PkgPath); ok {
			seen[name] = true
			found = append(found, r.importViolations(name, p)...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.imports)) {
		if !seen[name] {
			found = append(found, fmt.Sprintf("the rules allow imports of %s, which does not exist", name))
		}
	}
	values := m.Values()
	for _, name := range slices.Sorted(maps.Keys(r.limits)) {
		value, ok := values[name]
		switch limit := r.limits[name]; {
		case !ok:
			found = append(found, fmt.Sprintf("the rules limit %s, which is not measured", name))
		case value > limit:
			found = append(found, exceeded(name, value, limit, m))
		}
	}
	return found
}

func exceeded(name string, value, limit float64, m Measures) string {
	text := fmt.Sprintf("%s is %.4g, and may be at most %g", name, value, limit)
	if at := m.Places(name, limit); at != "" {
		text += ": " + at
	}
	return text
}

func (r *Rules) importViolations(name string, p Package) []string {
	allowed, ok := r.imports[name]
	if !ok {
		return []string{fmt.Sprintf("the rules have no line for %s", name)}
	}
	var found []string
	used := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(p.Imports)) {
		imported, ok := r.short(path)
		if !ok {
			continue
		}
		used[imported] = true
		if !slices.Contains(allowed, imported) {
			found = append(found, fmt.Sprintf("%s imports %s, which the rules do not allow", name, imported))
		}
	}
	for _, imported := range allowed {
		if !used[imported] {
			found = append(found, fmt.Sprintf("the rules allow %s to import %s, which it does not", name, imported))
		}
	}
	return found
}

// short returns the name of a package in the rules. The package at the prefix itself is ".".
func (r *Rules) short(path string) (string, bool) {
	if path == r.prefix {
		return ".", true
	}
	return strings.CutPrefix(path, r.prefix+"/")
}
