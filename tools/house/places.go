// SPDX-License-Identifier: Apache-2.0

package house

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A place is a line of a file, with the number that was measured there.
type place struct {
	path  string
	line  int
	value int
}

// places are what the numbers are made of, by what is measured.
type places map[string][]place

func (p *places) add(name, path string, line, value int) {
	if *p == nil {
		*p = places{}
	}
	(*p)[name] = append((*p)[name], place{path, line, value})
}

// shown is how many places are named for a number above its limit.
const shown = 5

// Places names the lines that make one of [Measures.Values] higher than the limit, the worst first. For
// a highest value these are all above the limit, for a quantile the highest ones, for a count all that
// is counted. It is empty for numbers that no line makes high.
func (m Measures) Places(name string, limit float64) string {
	all := slices.SortedStableFunc(slices.Values(m.places[measured(name)]), func(a, b place) int {
		return cmp.Compare(b.value, a.value)
	})
	switch {
	case name == "functions-over-80":
		limit = 80
		fallthrough
	case strings.HasSuffix(name, "-max"):
		all = slices.DeleteFunc(all, func(at place) bool { return float64(at.value) <= limit })
	}
	var text []string
	for _, at := range all[:min(shown, len(all))] {
		text = append(text, fmt.Sprintf("%s:%d (%d)", relative(at.path), at.line, at.value))
	}
	if more := len(all) - shown; more > 0 && !quantiles.MatchString(name) {
		text = append(text, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(text, ", ")
}

var quantiles = regexp.MustCompile(`-(median|p90)$`)

// measured returns the name of the places that a number is made of.
func measured(name string) string {
	if name == "functions-over-80" {
		return "function"
	}
	return strings.TrimSuffix(quantiles.ReplaceAllString(name, ""), "-max")
}

// relative returns the path as it is written from the folder in which the program runs.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil {
		return short
	}
	return path
}
