// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// run runs the go command in dir and returns its standard output. An error
// ends with the last lines of what the command said; when ctx ended, it wraps
// the cause instead.
func (b *builder) run(ctx context.Context, dir string, args ...string) (string, error) {
	// Where the kernel kills the child when its parent dies, it means the
	// parent's thread; so that thread has to outlive the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	var stdout bytes.Buffer
	var stderr tail
	cmd := exec.CommandContext(ctx, b.goCommand, args...)
	cmd.Dir = dir
	cmd.Env = b.environment()
	cmd.Stdout = &stdout
	cmd.Stderr = &stderr
	cmd.SysProcAttr = processGroup()
	// The compilers that it has started are in the group. All they write is in
	// the work folder, and Go's build cache takes only whole files.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second

	err := cmd.Run()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return "", fmt.Errorf("go %s was stopped: %w", args[0], cause)
	}
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

// tail keeps the end of what is written to it.
type tail struct{ data []byte }

const tailSize = 4096 // bytes

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if extra := len(t.data) - tailSize; extra > 0 {
		t.data = append([]byte(nil), t.data[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.data)) }
