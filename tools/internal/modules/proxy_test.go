// SPDX-License-Identifier: Apache-2.0

// Package modules tests that the repository's modules can be had from a module proxy.
package modules

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// serve makes a module proxy of these modules as they are in the checkout, at one version. It returns
// the proxy's folder.
func serve(t *testing.T, root, version string, folders ...string) string {
	t.Helper()
	proxy := t.TempDir()
	for _, folder := range folders {
		path := modulePath(t, filepath.Join(root, folder))
		escaped, err := module.EscapePath(path)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC()})
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, version+".info"), info)
		write(t, filepath.Join(dir, "..", "@latest"), info)
		write(t, filepath.Join(dir, "list"), []byte(listed(version)))
		write(t, filepath.Join(dir, version+".mod"), read(t, filepath.Join(root, folder, "go.mod")))
		pack(t, filepath.Join(dir, version+".zip"), module.Version{Path: path, Version: version}, filepath.Join(root, folder))
	}
	return proxy
}

// listed is a proxy's list of a module's releases.
func listed(version string) string {
	if module.IsPseudoVersion(version) {
		return ""
	}
	return version + "\n"
}

// pack makes the module's zip file of what git would commit.
func pack(t *testing.T, to string, m module.Version, folder string) {
	t.Helper()
	var files []zip.File
	for _, name := range committed(t, folder) {
		files = append(files, file{folder, name})
	}
	archive, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := zip.Create(archive, m, files); err != nil { // leaves the modules below it out
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
}

// committed returns what git would commit of a folder.
func committed(t *testing.T, folder string) (names []string) {
	t.Helper()
	out := run(t, folder, os.Environ(), "git", "ls-files", "--cached", "--others", "--exclude-standard")
	for name := range strings.Lines(out) {
		name = strings.TrimSpace(name)
		if _, err := os.Lstat(filepath.Join(folder, name)); err == nil { // or it is deleted and not yet committed
			names = append(names, name)
		}
	}
	return names
}

// copyFiles copies what git would commit.
func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range committed(t, from) {
		info, err := os.Stat(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, target, read(t, filepath.Join(from, name)))
		if err := os.Chmod(target, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
}

// A file is one of a module's.
type file struct{ folder, name string }

func (f file) Path() string                 { return f.name }
func (f file) Lstat() (os.FileInfo, error)  { return os.Lstat(filepath.Join(f.folder, f.name)) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(f.folder, f.name)) }

func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
