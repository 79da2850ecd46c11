// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

// replica is one process of the sample controller.
type replica struct {
	pod     string
	process *exec.Cmd
	exited  chan struct{} // closed when the process is gone and its output read
	asked   atomic.Bool   // to end
	account []string      // what it has printed besides its log
	err     error         // of the process, once it has exited
}

// read has note look at each line of the log, and keeps what is none.
func (r *replica) read(output io.Reader, note func(*replica, []byte) error) {
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if note(r, lines.Bytes()) != nil {
			r.account = append(r.account, lines.Text())
		}
	}
	_, _ = io.Copy(io.Discard, output) // after a line that is too long; the controller is not to wait for us
}

// gone shows the account of the end in one piece: two may end at the same time.
func (r *replica) gone() {
	if len(r.account) == 0 {
		return // it was killed
	}
	text := fmt.Sprintf("%-14s process %d's own account of its end:\n", "controller", r.process.Process.Pid)
	fmt.Print(text + "  " + strings.Join(r.account, "\n  ") + "\n")
}

// interrupt sends the process what Ctrl-C would.
func (r *replica) interrupt() error {
	select {
	case <-r.exited: // by itself
		return nil
	default:
	}
	r.asked.Store(true)
	if err := r.process.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("interrupt the sample controller: %w", err)
	}
	return nil
}

// await waits for the end, and makes it if it does not come in time. Whoever has killed one knows.
func (r *replica) await(limit <-chan time.Time) error {
	select {
	case <-r.exited:
	case <-limit:
		_ = r.process.Process.Kill()
		<-r.exited
	}
	if r.err != nil && (r.asked.Load() || r.process.ProcessState.Exited()) {
		return fmt.Errorf("the sample controller: %w", r.err)
	}
	return nil
}
