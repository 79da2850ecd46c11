// SPDX-License-Identifier: Apache-2.0

package house_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/tools/house"
)

const fixture = "testdata/fixture"

func load(t *testing.T, patterns ...string) []house.Package {
	t.Helper()
	all, err := house.Load(fixture, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFilesThatUseEachOtherAreAPairAlsoByMethods(t *testing.T) {
	g := house.GraphOf(load(t, "./tangled")[0])
	if got := g.MutualPairs(); !slices.Equal(got, []string{"a.go <-> b.go", "b.go <-> c.go"}) {
		t.Errorf("pairs: %q", got)
	}
	if got := g.Cycles(); len(got) != 1 || !slices.Equal(got[0], []string{"a.go", "b.go", "c.go"}) {
		t.Errorf("cycles: %q", got)
	}
	if g.Edges() != 4 {
		t.Errorf("%d edges", g.Edges())
	}
	if g := house.GraphOf(load(t, "./plain")[0]); g.Edges() != 0 || len(g.Cycles()) != 0 {
		t.Errorf("%v", g)
	}
}

func TestTheNumbersAreThoseOfTheFixture(t *testing.T) {
	m, err := house.Measure(load(t, "./..."))
	if err != nil {
		t.Fatal(err)
	}
	values := m.Values()
	for name, want := range map[string]float64{"files": 5, "goroutines": 1, "variables": 1, "function-max": 5, "functions-over-80": 0} {
		if values[name] != want {
			t.Errorf("%s is %v, want %v", name, values[name], want)
		}
	}
	if m.Parallel != 1 || m.Contexts != 1 {
		t.Errorf("%d parallel assignments, a swap not counted, and %d contexts", m.Parallel, m.Contexts)
	}
}

func TestAWalkCountsEachFunctionOnce(t *testing.T) {
	walks, err := house.Walks(fixture, "testdata/walks.md")
	if err != nil {
		t.Fatal(err)
	}
	const want = "there and back: 2 files, 2 packages, 3 functions, 4 lines"
	if len(walks) != 1 || walks[0].String() != want {
		t.Errorf("%v, want %s", walks, want)
	}
}

func TestAWalkThroughAFunctionThatIsNotThereIsAnError(t *testing.T) {
	_, err := house.Walks(fixture, "testdata/broken.md")
	for _, want := range []string{"other/other.go has no function Missing, but Do, T.Method", "none.go"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func TestAPageWithoutWalksAndAWalkWithoutFunctionsAreErrors(t *testing.T) {
	for text, want := range map[string]string{
		"# A page\n":                     "has no walk",
		"## Walk: empty\n\nIt begins.\n": `walk "empty" names no function`,
	} {
		page := filepath.Join(t.TempDir(), "page.md")
		if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := house.Walks(fixture, page); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", text, err, want)
		}
	}
}

func TestEachRuleThatIsBrokenIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		rules string
		on    string
		want  []string
	}{
		"all kept":                  {"allow plain: other\nallow other:", "./plain ./other", nil},
		"an import too many":        {"allow plain:\nallow other:", "./plain ./other", []string{"plain imports other, which the rules do not allow"}},
		"a rule that nothing needs": {"allow plain: other\nallow other: plain", "./plain ./other", []string{"the rules allow other to import plain, which it does not"}},
		"a package without a rule":  {"allow plain: other", "./plain ./other", []string{"the rules have no line for other"}},
		"a rule without a package":  {"allow plain: other\nallow other:\nallow gone:", "./plain ./other", []string{"the rules allow imports of gone, which does not exist"}},
		"files in a cycle": {"allow tangled:", "./tangled", []string{
			"example.com/fixture/tangled: files use each other: a.go <-> b.go",
			"example.com/fixture/tangled: files use each other: b.go <-> c.go",
			"example.com/fixture/tangled: files are in a cycle: a.go, b.go, c.go",
		}},
		"a file above the limit": {"allow plain: other\nlimit file-max 2", "./plain", []string{
			"file-max is 7, and may be at most 2: testdata/fixture/plain/plain.go:1 (7)",
		}},
		"no such number": {"allow plain: other\nlimit beauty 2", "./plain", []string{"the rules limit beauty, which is not measured"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rules")
			if err := os.WriteFile(path, []byte("# rules\nprefix example.com/fixture\n"+test.rules+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			rules, err := house.ReadRules(path)
			if err != nil {
				t.Fatal(err)
			}
			all := load(t, strings.Fields(test.on)...)
			m, err := house.Measure(all)
			if err != nil {
				t.Fatal(err)
			}
			if got := rules.Violations(all, m); !slices.Equal(got, test.want) {
				t.Errorf("%q\nwant\n%q", got, test.want)
			}
		})
	}
}

func TestANumberAboveItsLimitNamesWhereItComesFrom(t *testing.T) {
	m, err := house.Measure(load(t, "./..."))
	if err != nil {
		t.Fatal(err)
	}
	const a, b, c = "testdata/fixture/tangled/a.go", "testdata/fixture/tangled/b.go", "testdata/fixture/tangled/c.go"
	for name, test := range map[string]struct {
		limit float64
		want  string
	}{
		"function-max":       {2, a + ":9 (5)"},
		"functions-over-80":  {0, ""},
		"width-max":          {37, b + ":5 (38)"},
		"contexts-in-fields": {0, a + ":5 (1)"},
		"goroutines":         {0, b + ":5 (1)"},
		"variables":          {0, c + ":3 (1)"},
		"parallel":           {0, a + ":11 (1)"},
		"comments":           {0, ""},
	} {
		if got := m.Places(name, test.limit); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	for _, name := range []string{"file-p90", "function-median"} {
		if got := strings.Count(m.Places(name, 0), ", "); got != 4 {
			t.Errorf("%s names %d places, want the 5 worst: %s", name, got+1, m.Places(name, 0))
		}
	}
}

func TestRulesThatCannotBeReadAreRefusedWithTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"allow a b":    "rules:1: ",
		"\nlimit x y":  "rules:2: ",
		"forbid a: b ": "begins with none of",
	} {
		path := filepath.Join(t.TempDir(), "rules")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := house.ReadRules(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", text, err, want)
		}
	}
}
