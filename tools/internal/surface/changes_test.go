// SPDX-License-Identifier: Apache-2.0

package surface

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

const (
	before = "func Kept() {}\n\nfunc Gone() {}\n\nfunc Changed(int) {}"
	after  = "func Kept() {}\n\nfunc Changed(string) {}\n\nfunc New() {}"
)

func TestAnAdditionIsCompatibleAndARemovalIsNot(t *testing.T) {
	changes := compare(t, after)
	equal(t, "compatible", changes.Compatible, "New: added")
	equal(t, "incompatible", changes.Incompatible,
		"Changed: changed from func(int) to func(string)", "Gone: removed")
}

func TestAnAcceptedChangeIsNotIncompatible(t *testing.T) {
	changes := compare(t, after, "Gone: removed")
	equal(t, "accepted", changes.Accepted, "Gone: removed")
	equal(t, "incompatible", changes.Incompatible,
		"Changed: changed from func(int) to func(string)")
	equal(t, "unused", changes.Unused)
}

func TestAnAcceptedChangeThatDoesNotOccurIsNamed(t *testing.T) {
	changes := compare(t, before, "Gone: removed")
	equal(t, "unused", changes.Unused, "Gone: removed")
}

func TestAPackageThatIsRemovedIsIncompatible(t *testing.T) {
	dir := module(t, before)
	put(t, dir, "sub/sub.go", "package sub\n\nfunc F() {}\n")
	changes := Compare(load(t, dir), load(t, module(t, before)), nil)
	equal(t, "incompatible", changes.Incompatible, "package example.com/m/sub: removed")
}

func TestWhatIsWrittenCanBeReadAsTheListOfAcceptedChanges(t *testing.T) {
	changes := compare(t, after)
	var text bytes.Buffer
	Changes{Incompatible: changes.Incompatible}.Write(&text)
	_, list, _ := strings.Cut(text.String(), "\n")
	entries, err := ReadList(strings.NewReader("# why\n\n" + list))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "entries", entries, changes.Incompatible...)
}

// compare compares a package with before in it with one that has the newer code.
func compare(t *testing.T, newer string, accepted ...string) Changes {
	t.Helper()
	return Compare(load(t, module(t, before)), load(t, module(t, newer)), accepted)
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}
