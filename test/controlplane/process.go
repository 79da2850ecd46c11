// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// process is a component which we start ourselves, without envtest.
type process struct {
	name assets.Component
	dirs *dirs
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended; err is set before
	err  error
}

func startProcess(d *dirs, binaries string, c assets.Component, args ...string) (*process, error) {
	log, err := openLog(d, c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own

	// It ends with Stop, in its turn; a context would kill it out of order.
	cmd := exec.Command(filepath.Join(binaries, string(c)), args...)
	cmd.Dir = d.state
	// kwok would read the user's configuration as well.
	cmd.Env = append(os.Environ(), "KWOK_WORKDIR="+d.state)
	cmd.Stdout, cmd.Stderr = log, log
	// An interrupt at the terminal goes to the parent only, which stops the
	// components in their order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c, err)
	}
	p := &process{name: c, dirs: d, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
	}()
	pid := strconv.Itoa(cmd.Process.Pid) + "\n"
	if err := os.WriteFile(d.pidFile(c), []byte(pid), 0o600); err != nil {
		_ = p.signal(syscall.SIGKILL)
		<-p.done
		return nil, fmt.Errorf("note process number of %s: %w", c, err)
	}
	return p, nil
}

// ended returns nil while the process runs, and how it ended afterwards.
func (p *process) ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s has ended (%v); %s", p.name, p.cmd.ProcessState, p.dirs.tail(p.name))
	default:
		return nil
	}
}

// stop asks the process to end, waits for it, and kills it after stopTimeout
// or when ctx ends.
func (p *process) stop(ctx context.Context) error {
	var late error
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()

	_ = p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = p.signal(syscall.SIGKILL)
	case <-timeout.C:
		_ = p.signal(syscall.SIGKILL)
		late = fmt.Errorf("%s did not end within %s and was killed", p.name, stopTimeout)
	}
	<-p.done
	return errors.Join(late, p.dirs.forget(p.name))
}

// signal fails only if the process has ended, which callers find out anyway.
func (p *process) signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }
