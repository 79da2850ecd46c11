// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"os"
	"strings"
	"testing"
)

// TestTheReadmesControllerIsTheExampleAndHasTwentyLines keeps the first code that a newcomer sees
// compiling, and short: twenty lines of code, as gofmt and goimports have them.
func TestTheReadmesControllerIsTheExampleAndHasTwentyLines(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```go\n")
	program, _, _ := strings.Cut(rest, "```")
	lines := 0
	for line := range strings.Lines(program) {
		if code := strings.TrimSpace(line); code != "" && code != "}" && code != ")" {
			lines++
		}
	}
	if lines == 0 || lines > 20 {
		t.Errorf("the program in the README has %d lines", lines)
	}
	body := func(source, start string) string {
		_, rest, found := strings.Cut(source, start)
		if !found {
			t.Fatalf("%q is missing", start)
		}
		return rest
	}
	if got, want := body(program, "func main() {\n"), body(string(example), "func Example() {\n"); got != want {
		t.Errorf("the README has\n%s\nthe Example has\n%s", got, want)
	}
}
