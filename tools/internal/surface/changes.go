// SPDX-License-Identifier: Apache-2.0

package surface

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
)

// Changes is the difference between two surfaces, in apidiff's words, each part sorted.
type Changes struct {
	Compatible   []string
	Incompatible []string // not accepted
	Accepted     []string // incompatible, and accepted
	Unused       []string // accepted, and not among the changes
}

// Compare compares an older surface of a module with a newer one. Accepted holds the incompatible
// changes that are made on purpose.
func Compare(older, newer *Surface, accepted []string) Changes {
	report := apidiff.ModuleChanges(
		&apidiff.Module{Path: older.Module, Packages: older.Packages},
		&apidiff.Module{Path: newer.Module, Packages: newer.Packages},
	)
	changes := Changes{Unused: slices.Clone(accepted)}
	for _, change := range report.Changes {
		switch {
		case change.Compatible:
			changes.Compatible = append(changes.Compatible, change.Message)
		case slices.Contains(accepted, change.Message):
			changes.Accepted = append(changes.Accepted, change.Message)
		default:
			changes.Incompatible = append(changes.Incompatible, change.Message)
		}
	}
	changes.Unused = slices.DeleteFunc(changes.Unused, func(message string) bool {
		return slices.Contains(changes.Accepted, message)
	})
	for _, part := range [][]string{changes.Compatible, changes.Incompatible, changes.Accepted} {
		slices.Sort(part)
	}
	return changes
}

// Write writes the changes for a person to read, without the empty parts.
func (c Changes) Write(w io.Writer) {
	parts := []struct {
		title    string
		messages []string
	}{
		{"Compatible changes:", c.Compatible},
		{"Incompatible changes that are accepted:", c.Accepted},
		{"Accepted changes that do not occur, remove them from the list:", c.Unused},
		{"Incompatible changes:", c.Incompatible},
	}
	for _, part := range parts {
		if len(part.messages) == 0 {
			continue
		}
		fmt.Fprintln(w, part.title)
		for _, message := range part.messages {
			fmt.Fprintln(w, "- "+message)
		}
	}
}

// ReadList reads a list of one entry per line. It leaves out empty lines, lines that begin with
// "#", and the "- " with which Write begins a change.
func ReadList(r io.Reader) ([]string, error) {
	var entries []string
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		entries = append(entries, strings.TrimPrefix(line, "- "))
	}
	return entries, scanner.Err()
}
