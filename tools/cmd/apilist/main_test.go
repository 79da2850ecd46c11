// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheCheckFailsWhenTheSurfaceHasChangedAndTheFileHasNot(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "go.mod"), "module example.com/m\n")
	put(t, filepath.Join(dir, "m.go"), "package m\n\nfunc Old() {}\n")
	c := config{dir: dir, file: filepath.Join(dir, "api", "m.txt"), patterns: []string{"./..."}}
	var out bytes.Buffer

	c.check = true
	if err := run(c, &out); err == nil || !strings.Contains(err.Error(), "make api") {
		t.Errorf("without a file the error is %v", err)
	}
	c.check = false
	if err := run(c, &out); err != nil {
		t.Fatal(err)
	}
	c.check = true
	if err := run(c, &out); err != nil {
		t.Errorf("just after the file was written: %v", err)
	}

	put(t, filepath.Join(dir, "m.go"), "package m\n\nfunc New() {}\n")
	out.Reset()
	if err := run(c, &out); err == nil {
		t.Error("the surface has changed, and there is no error")
	}
	if want := "-pkg ., func Old()\n+pkg ., func New()\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
