// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const lanyard = "github.com/lanyard-k8s/lanyard"

// flunders is how the repository's own snapshot is made.
func flunders(t *testing.T) config {
	return config{
		clientset: lanyard + "/clientset/versioned",
		outputPkg: lanyard + "/clientset/deprecated",
		outputDir: "unused",
		header:    filepath.Join(repo(t), "tools/generate/boilerplate.go.txt"),
		dir:       repo(t),
		getters:   "concrete",
	}
}

func repo(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// module makes a module named snap that requires what the repository's does, with the repository
// itself in its place.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	gomod, err := os.ReadFile(filepath.Join(repo(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^module .*`).ReplaceAllString(string(gomod), "module snap")
	text += "\nrequire " + lanyard + " v0.0.0\nreplace " + lanyard + " => " + repo(t) + "\n"
	put(t, dir, "go.mod", text)
	sums, err := os.ReadFile(filepath.Join(repo(t), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "go.sum", string(sums))
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// gocmd runs the go command in a module, which it must not change.
func gocmd(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func mustGo(t *testing.T, dir string, args ...string) {
	t.Helper()
	if out, err := gocmd(t, dir, args...); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func made(t *testing.T, c config) map[string][]byte {
	t.Helper()
	set, err := load(c)
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate(c, set)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTheFlundersSnapshotIsWhatTheGeneratorMakes(t *testing.T) {
	files := made(t, flunders(t))
	root := filepath.Join(repo(t), "clientset/deprecated")
	for name, want := range files {
		if got := read(t, filepath.Join(root, name)); got != string(want) {
			t.Errorf("clientset/deprecated/%s differs: run 'make generate', or mend the generator", name)
		}
	}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if _, ok := files[filepath.ToSlash(name)]; !ok {
			t.Errorf("clientset/deprecated/%s is not generated", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTwoRunsMakeTheSame(t *testing.T) {
	large := flunders(t)
	large.clientset = "k8s.io/client-go/kubernetes"
	for _, c := range []config{flunders(t), large} {
		first, second := made(t, c), made(t, c)
		if !maps.EqualFunc(first, second, bytes.Equal) {
			t.Errorf("two runs for %s differ", c.clientset)
		}
	}
}

func TestEveryExportedNameIsDeprecated(t *testing.T) {
	exported := regexp.MustCompile(`^(func (\([^)]*\) )?[A-Z]|type [A-Z]|\t[A-Z]\w*\()`)
	packages := map[string]bool{} // whether the package itself is deprecated
	for name, text := range made(t, flunders(t)) {
		lines := strings.Split(string(text), "\n")
		for i, line := range lines {
			deprecated := slices.ContainsFunc(doc(lines, i), func(s string) bool { return strings.Contains(s, "// Deprecated: use ") })
			if strings.HasPrefix(line, "package ") {
				packages[path.Dir(name)] = packages[path.Dir(name)] || deprecated
			} else if exported.MatchString(line) && !deprecated {
				t.Errorf("%s:%d is not marked as deprecated: %s", name, i+1, line)
			}
		}
	}
	for name, deprecated := range packages {
		if !deprecated {
			t.Errorf("package %s is not marked as deprecated", name)
		}
	}
}

// doc returns the comment above a line.
func doc(lines []string, i int) []string {
	start := i
	for start > 0 && strings.HasPrefix(strings.TrimSpace(lines[start-1]), "//") {
		start--
	}
	return lines[start:i]
}

func TestWhatIsNoClientsetIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		clientset, want string
	}{
		"another package": {lanyard + "/api/wardle/v1beta1", "no clientset"},
		"no package":      {lanyard + "/nowhere", "nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			conf := flunders(t)
			conf.clientset = c.clientset
			conf.outputDir = t.TempDir()
			put(t, conf.outputDir, "kept", "")
			err := run(conf)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
			read(t, filepath.Join(conf.outputDir, "kept"))
		})
	}
}
