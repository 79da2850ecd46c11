// SPDX-License-Identifier: Apache-2.0

package surface

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

func TestEveryExportedIdentifierIsListedOnce(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/list.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	want := ""
	for _, file := range archive.Files {
		if file.Name == "want.txt" {
			want = string(file.Data)
			continue
		}
		put(t, dir, file.Name, string(file.Data))
	}
	got := strings.Join(load(t, dir).Lines(), "\n") + "\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTheListingDoesNotDependOnParameterNames(t *testing.T) {
	one := load(t, module(t, "func F(a int, f func(b string)) (c error) { return nil }"))
	two := load(t, module(t, "func F(x int, f func(string)) error { return nil }"))
	if !slices.Equal(one.Lines(), two.Lines()) {
		t.Errorf("one is %q, the other is %q", one.Lines(), two.Lines())
	}
}

func TestTheListingIsOfLinuxWhateverTheMachineIs(t *testing.T) {
	t.Setenv("GOOS", "windows")
	t.Setenv("GOARCH", "arm64")
	dir := module(t, "func F() {}")
	put(t, dir, "m_linux.go", "package m\n\nfunc OnLinux() {}\n")
	put(t, dir, "m_windows.go", "package m\n\nfunc OnWindows() {}\n")
	want := []string{"pkg ., func F()", "pkg ., func OnLinux()"}
	if got := load(t, dir).Lines(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLoadingAPackageThatDoesNotCompileIsAnError(t *testing.T) {
	_, err := Load(module(t, "func F() { missing() }"), "./...")
	if err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("the error is %v", err)
	}
}

func TestLoadingNoPublicPackageIsAnError(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "go.mod", "module example.com/m\n")
	put(t, dir, "internal/m.go", "package internal\n")
	if _, err := Load(dir, "./..."); err == nil {
		t.Error("there is no error")
	}
}

// module returns the folder of a module with one package.
func module(t *testing.T, code string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "go.mod", "module example.com/m\n\ngo 1.26.0\n")
	put(t, dir, "m.go", "package m\n\n"+code+"\n")
	return dir
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

func load(t *testing.T, dir string) *Surface {
	t.Helper()
	s, err := Load(dir, "./...")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
