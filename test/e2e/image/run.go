// SPDX-License-Identifier: Apache-2.0

package image

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is how long a run may take to end after SIGTERM, before it is killed: what the
// manager's Deployment gives it.
const stopTimeout = 30 * time.Second

// RunOptions say how an image runs.
type RunOptions struct {
	// Output gets what the controller writes to standard output and error. Default: nothing.
	Output io.Writer
	// Mounts are files and folders of the host, mounted read-only at absolute paths. They
	// must be readable for the image's user, which is not the one who runs the test.
	Mounts map[string]string
}

// Run runs the image with these arguments for its entrypoint, as the image's user and on the
// host's network, where 127.0.0.1 is the host. When ctx ends, the controller gets SIGTERM, as
// from a kubelet, and Run waits for it. Its error is nil if the controller exited with zero.
func (i *Image) Run(ctx context.Context, options RunOptions, args ...string) error {
	cmd, err := i.builder.command(ctx, i.ref, options.Mounts, args)
	if err != nil {
		return fmt.Errorf("make a container: %w", err)
	}
	cmd.Stdout, cmd.Stderr = options.Output, options.Output
	cmd.Cancel = func() error { return terminate(cmd) }
	cmd.WaitDelay = stopTimeout

	err = cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.Success() {
		return nil // exec reports the context's end as well
	}
	if err != nil {
		return fmt.Errorf("run the image: %w", err)
	}
	return nil
}

// terminate asks the controller to end. Docker passes the signal on; buildah, when it gets
// one, kills what it runs, so there the controller's own process gets it.
func terminate(cmd *exec.Cmd) error {
	if filepath.Base(cmd.Path) == "buildah" {
		for _, pid := range processes(filepath.Base(Entrypoint)) {
			if descends(pid, cmd.Process.Pid) {
				return syscall.Kill(pid, syscall.SIGTERM)
			}
		}
	}
	return cmd.Process.Signal(syscall.SIGTERM)
}

// processes returns those whose command has this name, as far as the kernel keeps it.
func processes(name string) []int {
	const kept = 15
	var pids []int
	comms, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, comm := range comms {
		content, _ := os.ReadFile(comm) // gone meanwhile: not it
		if strings.TrimSpace(string(content)) == name[:min(len(name), kept)] {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(comm)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// descends says whether a process is a child, or a child's child, of another.
func descends(pid, ancestor int) bool {
	for pid > 1 {
		if pid == ancestor {
			return true
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return false
		}
		// pid (name) state parent ...: the name may hold anything, so look behind it.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if pid, err = strconv.Atoi(fields[1]); err != nil {
			return false
		}
	}
	return false
}
