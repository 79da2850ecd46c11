// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"strings"
	"testing"
)

const markdown = `# A page of ` + "`Code`" + `: 2 words

See [other](other.md#there), ![picture](picture.svg) and <img src="raw.svg">.

## Twice
## Twice

<!-- the same as the function f in a/b.go -->
` + "```go" + `
f()
` + "```" + `

1. In a list:

   <!-- the same as a/c.yaml -->
   ` + "```yaml" + `
   a: b
   ` + "```" + `

Not above it.

` + "```go" + `
g()
` + "```" + `
`

func TestAPageHasItsBlocksLinksAndHeadings(t *testing.T) {
	page := Parse("guide/page.md", []byte(markdown))
	for _, anchor := range []string{"a-page-of-code-2-words", "twice", "twice-1"} {
		if !page.Anchors[anchor] {
			t.Errorf("there is no %s in %v", anchor, page.Anchors)
		}
	}
	want := []Block{
		{Language: "go", Source: "a/b.go", Text: "f()\n", Line: 10},
		{Language: "yaml", Source: "a/c.yaml", Text: "a: b\n", Line: 17},
		{Language: "go", Text: "g()\n", Line: 23},
	}
	if len(page.Blocks) != len(want) {
		t.Fatalf("the blocks are %+v", page.Blocks)
	}
	for i, block := range page.Blocks {
		if block != want[i] {
			t.Errorf("block %d is %+v, want %+v", i, block, want[i])
		}
	}
	var to []string
	for _, link := range page.Links {
		to = append(to, link.To)
	}
	if got := strings.Join(to, " "); got != "other.md#there picture.svg raw.svg" {
		t.Errorf("the links are %s", got)
	}
}

func TestABlockIsTheSameAsAPartOfAFile(t *testing.T) {
	const file = "package p_test\n\nimport (\n\t\"fmt\"\n)\n\n// A comment.\nfunc Example() {\n\ta := 1 // one\n\n\t// Between.\n\tb := 2\n\tc := 3\n\tfmt.Println(a, b, c)\n}\n"
	for name, block := range map[string]string{
		"other white space":            "a  := 1   // one\nb := 2\n",
		"lines left out":               "a := 1 // one\n…\nfmt.Println(a, b, c)\n}\n",
		"lines left out, a comment":    "func Example() {\n\t// …\n\tc := 3\n",
		"a comment left out":           "a := 1 // one\nb := 2\nc := 3\n",
		"the comment too":              "a := 1 // one\n// Between.\nb := 2\n",
		"a program that is Example":    "package main\n\nimport (\n\t\"fmt\"\n)\n\nfunc main() {\n\ta := 1 // one\n",
		"more than one is left out":    "…\na := 1 // one\n…\nc := 3\n…\n",
		"nothing but what is left out": "…\n",
	} {
		if missing := Missing(block, file); missing != "" {
			t.Errorf("%s: it misses %q", name, missing)
		}
	}
	for name, block := range map[string]string{
		"another value":                   "a := 2 // one\n",
		"a comment that is not there":     "a := 1\n",
		"a line between is not there":     "a := 1 // one\nx()\nb := 2\n",
		"a line is left out without word": "b := 2\nfmt.Println(a, b, c)\n",
		"another order":                   "c := 3\n…\na := 1 // one\n",
		"main of another package":         "func main() {\n",
	} {
		if Missing(block, file) == "" {
			t.Errorf("%s: it is found", name)
		}
	}
}
