// SPDX-License-Identifier: Apache-2.0

// Package toolchain runs the go command and a project's script.
package toolchain

import (
	"context"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Check returns an error if there is no go command, or one that is older than oldest, such as 1.26.0, and may not
// fetch a newer one.
func Check(ctx context.Context, oldest string) error {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("there is no go command: install Go %s or newer from https://go.dev/dl", oldest)
	}
	// Outside of modules, or the go command would answer for the toolchain of the module that is around.
	output, err := run(ctx, os.TempDir(), "go", "env", "GOVERSION", "GOTOOLCHAIN")
	if err != nil {
		return fmt.Errorf("ask the go command for its version: %w", err)
	}
	answer := strings.Fields(output)
	if len(answer) == 0 {
		return errors.New("ask the go command for its version: it says nothing")
	}
	local := len(answer) < 2 || answer[1] == "local" || strings.HasPrefix(answer[1], "go")
	found := strings.SplitN(answer[0], "-", 2)[0] // go1.26.1-custom
	if local && version.IsValid(found) && version.Compare(found, "go"+oldest) < 0 {
		return fmt.Errorf("%s is too old: the project needs Go %s or newer; install it from https://go.dev/dl", found, oldest)
	}
	return nil
}

// Go runs the go command in a folder.
func Go(ctx context.Context, dir string, args ...string) error {
	_, err := run(ctx, dir, "go", args...)
	return err
}

// Script runs a script of a project.
func Script(ctx context.Context, dir, name string, args ...string) error {
	_, err := run(ctx, dir, "./"+name, args...)
	return err
}

// run runs a command, without the workspace that may be around. Its error is one line, the first that tells what is wrong.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS="+flags())
	// What it has started itself is to end with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	if err == nil {
		return string(output), nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	said := firstProblem(stderr.String())
	if said == "" {
		said = err.Error()
	}
	return "", errors.New(said)
}

// flags returns the user's GOFLAGS without -mod, which would keep go.mod and go.sum from being completed.
func flags() string {
	var kept []string
	for flag := range strings.FieldsSeq(os.Getenv("GOFLAGS")) {
		if !strings.HasPrefix(strings.TrimLeft(flag, "-"), "mod=") {
			kept = append(kept, flag)
		}
	}
	return strings.Join(kept, " ")
}

// firstProblem returns the line of a command's output that says what is wrong, of the last thing that it did.
func firstProblem(output string) string {
	problem := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		progress := strings.HasPrefix(line, "go: downloading ") || strings.HasPrefix(line, "go: finding ") ||
			strings.HasPrefix(line, "go: found ") || strings.HasPrefix(line, "go: added ") || strings.HasPrefix(line, "go: warning: ")
		if line == "" || progress {
			continue
		}
		if problem == "" || strings.Contains(line, ": ") && strings.HasSuffix(problem, ":") {
			problem = strings.TrimSpace(problem + " " + line)
		}
	}
	return problem
}
