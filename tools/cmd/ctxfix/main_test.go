// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const client = `package client

import "context"

type Client struct{}

func (Client) Get(ctx context.Context, name string) error { return nil }
`

func TestARepairedPackageLeavesNoErrorAndExitCodeZero(t *testing.T) {
	out, err := repaired(t, `package client

func use(c Client) error { return c.Get("a") }
`)
	if err != nil || out != "" {
		t.Errorf("%v, and it prints:\n%s", err, out)
	}
}

func TestWhatIsLeftAfterTheRepairIsPrintedAndNothingElse(t *testing.T) {
	out, err := repaired(t, `package client

func use(c Client) error { return c.Get("a") }

func broken() { undefined() }
`)
	if err == nil || !strings.Contains(out, "undefined: undefined") || strings.Contains(out, "c.Get") {
		t.Errorf("%v, and it prints:\n%s", err, out)
	}
}

func TestFindingsWithoutAFixAreLeftPrintedAndAnExitCode(t *testing.T) {
	out, err := fixed(t, "ctxtodo", `package client

import "context"

func use(ctx context.Context, c Client) error {
	defer c.Get(context.TODO(), "left")
	return c.Get(context.TODO(), "fixed")
}
`, `c.Get(ctx, "fixed")`)
	if err == nil || !strings.Contains(out, "use.go:6:14: context.TODO() in a defer") || strings.Count(out, "\n") != 1 {
		t.Errorf("%v, and it prints:\n%s", err, out)
	}
}

func TestWithoutFindingsThatAreLeftNothingIsPrinted(t *testing.T) {
	out, err := fixed(t, "ctxtodo", `package client

import "context"

func use(ctx context.Context, c Client) error { return c.Get(context.TODO(), "fixed") }
`, `c.Get(ctx, "fixed")`)
	if err != nil || out != "" {
		t.Errorf("%v, and it prints:\n%s", err, out)
	}
}

// repaired runs ctxargs on a package of the client and this file, and checks that it was changed.
func repaired(t *testing.T, use string) (string, error) {
	t.Helper()
	return fixed(t, "ctxargs", use, `c.Get(context.TODO(), "a")`)
}

// fixed runs one analyzer of ctxfix with -fix, and checks that the file has this text then.
func fixed(t *testing.T, analyzer, use, want string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module client\n\ngo 1.26\n", "client.go": client, "use.go": use}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tool := filepath.Join(t.TempDir(), "ctxfix")
	if out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(tool, "-"+analyzer, "-fix", "./...")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	text, _ := os.ReadFile(filepath.Join(dir, "use.go"))
	if !strings.Contains(string(text), want) {
		t.Errorf("not fixed:\n%s", text)
	}
	return string(out), err
}
