// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestThePageOfTheContractIsTrue checks that each file and test that docs/contract.md names exists, and that each
// promise has a test with its number.
func TestThePageOfTheContractIsTrue(t *testing.T) {
	page := read(t, "../docs/contract.md")
	rows := regexp.MustCompile(`(?m)^\| (C\d+) \| .* \| (.*) \| (.*) \|$`).FindAllStringSubmatch(page, -1)
	if len(rows) < 25 {
		t.Fatalf("there are %d promises", len(rows))
	}
	code := regexp.MustCompile("`([^`]+)`")
	for _, row := range rows {
		number, kept, tested := row[1], row[2], row[3]
		for _, file := range code.FindAllStringSubmatch(kept, -1) {
			if _, err := os.Stat("../" + file[1]); err != nil {
				t.Errorf("%s is kept in %s, which is not there", number, file[1])
			}
		}
		named := code.FindAllStringSubmatch(tested, -1)
		if len(named) == 0 || len(named)%2 != 0 {
			t.Errorf("%s: %q does not name tests, each with its file", number, tested)
			continue
		}
		for pair := range slices.Chunk(named, 2) {
			test, file := pair[0][1], pair[1][1]
			if !strings.Contains(read(t, "../"+file), "func "+test+"(") {
				t.Errorf("%s is tested by %s, which is not in %s", number, test, file)
			}
			if !regexp.MustCompile(number + `(\D|$)`).MatchString(test) {
				t.Errorf("%s is tested by %s, which does not have its number", number, test)
			}
		}
	}
}

// TestDocCommentsHaveNoNumbersOfTheContract because a reader of the documentation has no list of them there.
func TestDocCommentsHaveNoNumbersOfTheContract(t *testing.T) {
	number := regexp.MustCompile(`\(C\d+[,)]`)
	for _, path := range goFiles(t, ".", "../internal", "../sample-controller", "../telemetry") {
		if found := number.FindString(read(t, path)); found != "" {
			t.Errorf("%s has the number %s", path, found)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
