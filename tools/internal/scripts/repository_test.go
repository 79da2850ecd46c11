// SPDX-License-Identifier: Apache-2.0

// Package scripts tests the shell scripts in tools.
package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// repository returns the folder of a new git repository.
func repository(t *testing.T) string {
	t.Helper()
	repo := t.TempDir()
	git(t, repo, "init", "-q")
	return repo
}

// git runs git in a repository, as somebody, without the user's own settings.
func git(t *testing.T, repo string, args ...string) {
	t.Helper()
	args = append([]string{"-C", repo, "-c", "user.name=Test", "-c", "user.email=test@example.com"}, args...)
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// copyScript puts one of the scripts in tools into a repository, where it can be run.
func copyScript(t *testing.T, name, to string) {
	t.Helper()
	put(t, filepath.Dir(to), filepath.Base(to), get(t, "../..", name))
	if err := os.Chmod(to, 0o755); err != nil {
		t.Fatal(err)
	}
}
