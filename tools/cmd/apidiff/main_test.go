// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnIncompatibleChangeFailsUnlessTheFileListsIt(t *testing.T) {
	older, newer := module(t, "func Old() {}"), module(t, "func New() {}")
	accepted := filepath.Join(t.TempDir(), "accepted.txt")
	c := config{older: older, newer: newer, accepted: accepted, patterns: []string{"./..."}}
	var out bytes.Buffer
	if err := run(c, &out); err == nil {
		t.Error("a function is gone, and there is no error")
	}
	if !strings.Contains(out.String(), "- Old: removed") {
		t.Errorf("printed %q", out.String())
	}
	if err := os.WriteFile(accepted, []byte("# renamed\nOld: removed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(c, &out); err != nil {
		t.Errorf("the change is accepted: %v", err)
	}
}

func TestACompatibleChangeDoesNotFail(t *testing.T) {
	older, newer := module(t, "func F() {}"), module(t, "func F() {}\n\nfunc G() {}")
	var out bytes.Buffer
	if err := run(config{older: older, newer: newer, patterns: []string{"./..."}}, &out); err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "- G: added") {
		t.Errorf("printed %q", out.String())
	}
}

// module returns the folder of a module with one package.
func module(t *testing.T, code string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n",
		"m.go":   "package m\n\n" + code + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
