// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"slices"
	"strings"
)

// Missing returns the first lines of a block that a file has not, or nothing if the block is the same as
// a part of the file:
//
//   - The block's lines follow each other in the file. White space and empty lines do not count, and
//     the file may have lines between them that are only a comment.
//   - A line that is "…", with or without the sign of a comment before it, stands for any lines.
//   - A whole program may be an Example: its main is the function Example, and it is of another package.
func Missing(block, file string) string {
	have := significant(file)
	want := significant(block)
	if len(want) > 0 && want[0] == "package main" && slices.Contains(have, "func Example() {") {
		want = want[1:]
		for i, line := range want {
			if line == "func main() {" {
				want[i] = "func Example() {"
			}
		}
	}
	for _, part := range parts(want) {
		end := find(part, have)
		if end < 0 {
			return strings.Join(part, "\n")
		}
		have = have[end:]
	}
	return ""
}

// significant returns the lines that are not empty, with one space for all white space.
func significant(content string) (lines []string) {
	for line := range strings.Lines(content) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	return lines
}

// parts cuts lines where some are left out.
func parts(lines []string) (cut [][]string) {
	var part []string
	for _, line := range lines {
		if line != "…" && line != "// …" && line != "# …" {
			part = append(part, line)
			continue
		}
		if len(part) > 0 {
			cut = append(cut, part)
		}
		part = nil
	}
	if len(part) > 0 {
		cut = append(cut, part)
	}
	return cut
}

// find returns the index after the place in have where the lines of want follow each other, or -1.
func find(want, have []string) int {
	for start := range have {
		if length := match(want, have[start:]); length > 0 {
			return start + length
		}
	}
	return -1
}

// match returns how many lines of have are those of want, with the comments between them, or 0.
func match(want, have []string) int {
	matched := 0
	for i, line := range have {
		switch {
		case line == want[matched]:
			if matched++; matched == len(want) {
				return i + 1
			}
		case matched == 0 || !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "#"):
			return 0
		}
	}
	return 0
}
