// SPDX-License-Identifier: Apache-2.0

package command_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/command"
)

const checkout = "../../../.."

// run runs lanyard in a folder.
func run(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	from, err := filepath.Abs(checkout)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if args[0] == "init" {
		args = append(args, "--lanyard", from)
	}
	err = command.Run(t.Context(), args, &out, &out)
	return out.String(), err
}

// assertLine asserts that there is an error of one line that says something.
func assertLine(t *testing.T, err error, says string) {
	t.Helper()
	switch {
	case err == nil:
		t.Fatalf("no error that says %q", says)
	case strings.Contains(err.Error(), "\n"):
		t.Errorf("the error has several lines:\n%v", err)
	case !strings.Contains(err.Error(), says):
		t.Errorf("the error does not say %q: %v", says, err)
	}
}

// files are the names in a folder and below.
func files(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, strings.TrimPrefix(path, dir))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, "\n")
}

func TestInitSaysInOneLineWhatIsWrongAndLeavesNothing(t *testing.T) {
	const module, group = "example.com/shop/widget-operator", "--group=shop.example.com"
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no module":            {[]string{"--kind=Widget", group}, "takes one MODULE, not 0"},
		"two modules":          {[]string{module, module, "--kind=Widget", group}, "takes one MODULE, not 2"},
		"module with a blank":  {[]string{"example.com/my operator", "--kind=Widget", group}, "malformed module path"},
		"module without a dot": {[]string{"operator", "--kind=Widget", group}, "malformed module path"},
		"name for no cluster":  {[]string{"example.com/~operator", "--kind=Widget", group}, "--name"},
		"name with a digit":    {[]string{"example.com/7up", "--kind=Widget", group}, "does not begin with a letter"},
		"no kind":              {[]string{module, group}, "needs a --group and a --kind"},
		"no group":             {[]string{module, "--kind=Widget"}, "needs a --group and a --kind"},
		"group in upper case":  {[]string{module, "--kind=Widget", "--group=Shop.example.com"}, `group "Shop.example.com"`},
		"group without a dot":  {[]string{module, "--kind=Widget", "--group=shop"}, "has no dot"},
		"group of Kubernetes":  {[]string{module, "--kind=Widget", "--group=shop.k8s.io"}, "use a domain of yours"},
		"kind in lower case":   {[]string{module, "--kind=widget", group}, "CamelCase"},
		"kind with an accent":  {[]string{module, "--kind=Café", group}, "CamelCase"},
		"kind that is a list":  {[]string{module, "--kind=WidgetList", group}, "names that end in List"},
		"kind that is taken":   {[]string{module, "--kind=AddToScheme", group}, "another declaration of that name"},
		"kind twice":           {[]string{module, "--kind=Widget", "--kind=Widget", group}, "the kind Widget exists"},
		"kind and its spec":    {[]string{module, "--kind=Widget", "--kind=WidgetSpec", group}, "cannot be in one version"},
		"kinds of one plural":  {[]string{module, "--kind=Bus", "--kind=Buse", group}, "has the plural buses already"},
		"one plural for two":   {[]string{module, "--kind=A", "--kind=B", "--plural=cs", group}, "--plural is for one --kind"},
		"plural with a dot":    {[]string{module, "--kind=Widget", "--plural=w.x", group}, `plural "w.x"`},
		"version 1":            {[]string{module, "--kind=Widget", "--version=1", group}, "v1alpha1"},
		"a flag that is none":  {[]string{module, "--kinds=Widget", group}, "unknown flag: --kinds"},
		"folder not empty":     {[]string{module, "--kind=Widget", "--dir=full", group}, "is not empty: it has notes"},
		"folder is a file":     {[]string{module, "--kind=Widget", "--dir=full/notes", group}, "not a directory"},
		"folder in none":       {[]string{module, "--kind=Widget", "--dir=a/b/c", group}, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "full"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "full", "notes"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			before := files(t, dir)
			_, err := run(t, dir, append([]string{"init"}, c.args...)...)
			assertLine(t, err, c.says)
			if after := files(t, dir); after != before {
				t.Errorf("there is something new:\n%s", after)
			}
		})
	}
}

func TestAGoThatIsTooOldIsNamed(t *testing.T) {
	dir := t.TempDir()
	withGo(t, "echo go1.25.3; echo local")
	_, err := run(t, dir, "init", "example.com/operator", "--group=shop.example.com", "--kind=Widget")
	assertLine(t, err, "go1.25.3 is too old: the project needs Go 1.26.0 or newer")
}

func TestWithoutAGoCommandItIsSaidWhereToGetIt(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", t.TempDir())
	_, err := run(t, dir, "init", "example.com/operator", "--group=shop.example.com", "--kind=Widget")
	assertLine(t, err, "install Go 1.26.0")
}

// withGo puts a go command of one line in the place of the real one.
func withGo(t *testing.T, line string) {
	t.Helper()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\n"+line+"\n"), 0o700); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestWithoutANetworkNothingIsLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-modcacherw") // or the test's folder could not be removed
	t.Setenv("GOMODCACHE", t.TempDir())
	_, err := run(t, dir, "init", "example.com/operator", "--group=shop.example.com", "--kind=Widget")
	assertLine(t, err, "module lookup disabled by GOPROXY=off; nothing was made")
	if left := files(t, dir); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

func TestInitThatIsInterruptedLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	from, err := filepath.Abs(checkout)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stop := filepath.Join(t.TempDir(), "started")
	withGo(t, `case $1 in env) echo go1.26.0; echo local;; *) : > `+stop+`; exec sleep 600;; esac`)
	t.Chdir(dir)
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(stop); err == nil {
				cancel()
			}
		}
	}()
	err = command.Run(ctx, []string{
		"init", "example.com/operator", "--group=shop.example.com", "--kind=Widget", "--lanyard", from,
	}, io.Discard, io.Discard)
	assertLine(t, err, "context canceled")
	if left := files(t, dir); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}
