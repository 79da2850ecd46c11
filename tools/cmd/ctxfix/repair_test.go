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

// repaired runs ctxfix on a package of the client and this file, and checks that it was changed.
func repaired(t *testing.T, use string) (string, error) {
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
	cmd := exec.Command(tool, "-ctxargs", "-fix", "./...")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	text, _ := os.ReadFile(filepath.Join(dir, "use.go"))
	if !strings.Contains(string(text), `c.Get(context.TODO(), "a")`) {
		t.Errorf("not repaired:\n%s", text)
	}
	return string(out), err
}
