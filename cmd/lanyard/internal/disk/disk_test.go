// SPDX-License-Identifier: Apache-2.0

package disk_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/disk"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/layout"
)

func TestMoveKeepsTheFolderThatIsThereAndItsGit(t *testing.T) {
	to := t.TempDir()
	if err := os.Mkdir(filepath.Join(to, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.CheckEmpty(to); err != nil {
		t.Fatal(err)
	}
	from := made(t, to)
	if err := disk.Move(from, to); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(to); err != nil || !os.SameFile(before, after) {
		t.Errorf("it is another folder: %v", err)
	}
	for _, name := range []string{".git", "a/b"} {
		if _, err := os.Stat(filepath.Join(to, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(from); !os.IsNotExist(err) {
		t.Errorf("the folder beside is left: %v", err)
	}
}

func TestMoveMovesBackWhatItCannotMoveAsAWhole(t *testing.T) {
	to := t.TempDir()
	from := made(t, to)
	if err := os.MkdirAll(filepath.Join(to, "c", "taken"), 0o700); err != nil { // since CheckEmpty
		t.Fatal(err)
	}
	if err := disk.Move(from, to); err == nil {
		t.Fatal("no error")
	}
	if _, err := os.Stat(filepath.Join(from, "a", "b")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(to, "a")); !os.IsNotExist(err) {
		t.Errorf("a part of it is there: %v", err)
	}
}

// made is a folder beside to with the files a/b and c/d.
func made(t *testing.T, to string) string {
	t.Helper()
	from, err := disk.Beside(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Write(from, []layout.File{{Path: "a/b"}, {Path: "c/d"}}); err != nil {
		t.Fatal(err)
	}
	return from
}

func TestUndoRemovesWhatWasWrittenAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "a", "mine")
	if _, err := disk.Write(dir, []layout.File{{Path: "a/mine"}}); err != nil {
		t.Fatal(err)
	}
	undo, err := disk.Write(dir, []layout.File{{Path: "a/b"}, {Path: "c/d/e"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := undo(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"a/b", "c"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
}
