// SPDX-License-Identifier: Apache-2.0

package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWithoutAReleaseThereIsNothingToCompareWith(t *testing.T) {
	repo := released(t, "v0.1.0-rc.1") // a pre-release is no release
	out, err := apidiff(t, repo)
	if err != nil || !strings.Contains(out, "no release tag") {
		t.Errorf("the error is %v, the output\n%s", err, out)
	}
}

func TestAnIncompatibleChangeSinceTheReleaseFailsBeforeItIsCommitted(t *testing.T) {
	repo := released(t, "v0.1.0")
	if out, err := apidiff(t, repo); err != nil {
		t.Errorf("nothing has changed: %v\n%s", err, out)
	}
	put(t, repo, "controller/c.go", "package controller\n\nfunc New() {}\n")
	out, err := apidiff(t, repo)
	if err == nil || !strings.Contains(out, "Old: removed") {
		t.Errorf("the error is %v, the output\n%s", err, out)
	}
	git(t, repo, "commit", "-qam", "rename")
	if out, err := apidiff(t, repo, "HEAD"); err != nil {
		t.Errorf("HEAD is the same: %v\n%s", err, out)
	}
}

func TestAStateThatIsNotThereIsNamed(t *testing.T) {
	out, err := apidiff(t, released(t, "v0.1.0"), "v9")
	if err == nil || !strings.Contains(out, "v9 is no commit") {
		t.Errorf("the error is %v, the output\n%s", err, out)
	}
}

// released returns the folder of a repository with a package and a tag, and with our tools.
func released(t *testing.T, tag string) string {
	t.Helper()
	repo := repository(t)
	put(t, repo, "go.mod", "module example.com/m\n")
	put(t, repo, "controller/c.go", "package controller\n\nfunc Old() {}\n")
	git(t, repo, "add", ".")
	git(t, repo, "commit", "-qm", "release")
	git(t, repo, "tag", tag)
	tools, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(tools, filepath.Join(repo, "tools")); err != nil {
		t.Fatal(err)
	}
	return repo
}

func apidiff(t *testing.T, repo string, args ...string) (string, error) {
	t.Helper()
	args = append([]string{filepath.Join(repo, "tools", "apidiff.sh")}, args...)
	out, err := exec.CommandContext(t.Context(), "bash", args...).CombinedOutput()
	return string(out), err
}
