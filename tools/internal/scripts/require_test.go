// SPDX-License-Identifier: Apache-2.0

package scripts

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestRequireSetsTheVersionInEachModuleAndPrintsTheTags(t *testing.T) {
	repo := repository(t)
	script := filepath.Join(repo, "tools", "require.sh")
	put(t, repo, "go.mod", "module example.com/all\n\ngo 1.26\n\nrequire example.com/all-else v1.0.0\n")
	put(t, repo, "test/go.mod", `module example.com/all/test

go 1.26

replace example.com/all => ../

require (
	example.com/all v0.1.0
	example.com/all/plane v0.1.0
	example.com/all-else v1.0.0
)
`)
	put(t, repo, "plane/go.mod", "module example.com/all/plane\n\ngo 1.26\n\nrequire example.com/all v0.1.0\n")
	put(t, repo, "test/testdata/go.mod", "module fixture\n\nrequire example.com/all v0.1.0\n")
	copyScript(t, "require.sh", script)
	git(t, repo, "add", "-A")

	if out := require(t, script, "v0.2.0"); out != "v0.2.0\nplane/v0.2.0\ntest/v0.2.0\n" {
		t.Errorf("it prints %q", out)
	}
	for file, want := range map[string][]string{
		"go.mod":               {"example.com/all-else v1.0.0"},
		"test/go.mod":          {"example.com/all v0.2.0", "example.com/all/plane v0.2.0", "example.com/all-else v1.0.0"},
		"plane/go.mod":         {"example.com/all v0.2.0"},
		"test/testdata/go.mod": {"example.com/all v0.1.0"},
	} {
		for _, line := range want {
			if text := get(t, repo, file); !strings.Contains(text, line) {
				t.Errorf("%s has no %q:\n%s", file, line, text)
			}
		}
	}
	if out := require(t, script, "v0.0.0-20261126165832-d112bc109cfe"); out != "" {
		t.Errorf("for a commit it prints tags: %q", out)
	}
}

func TestRequireRefusesWhatIsNoVersion(t *testing.T) {
	repo := repository(t)
	script := filepath.Join(repo, "tools", "require.sh")
	copyScript(t, "require.sh", script)
	for _, args := range [][]string{nil, {"0.2.0"}, {"latest"}} {
		if out, err := exec.CommandContext(t.Context(), script, args...).CombinedOutput(); err == nil {
			t.Errorf("%q is taken: %s", args, out)
		}
	}
}

func require(t *testing.T, script, version string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), script, version).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
