// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
)

// demo is a run of the demonstration in a process group of its own, as a shell starts it.
type demo struct {
	*testing.T
	cmd    *exec.Cmd
	began  time.Time
	tmp    string // its folder for temporary files, which also tells its processes from others
	output *output.Buffer
	gone   chan struct{}
}

func start(t *testing.T, environment []string, args ...string) *demo {
	t.Helper()
	d := &demo{T: t, began: time.Now(), tmp: t.TempDir(), output: &output.Buffer{}, gone: make(chan struct{})}
	d.cmd = exec.Command(binary, args...)
	d.cmd.Env = append(append(os.Environ(), "TMPDIR="+d.tmp), environment...)
	d.cmd.Stdout, d.cmd.Stderr = d.output, d.output
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.WaitDelay = time.Second // what it has left behind may keep its output open
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(d.gone)
		_ = d.cmd.Wait() // the state says how it ended
	}()
	t.Cleanup(d.cleanUp)
	return d
}

func (d *demo) cleanUp() {
	_ = d.cmd.Process.Kill()
	<-d.gone
	for _, pid := range d.processes("") {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if d.Failed() {
		d.Logf("demo %s wrote:\n%s", strings.Join(d.cmd.Args[1:], " "), d.output)
	}
}

// interrupt does what Ctrl-C does at a terminal: the whole process group gets the signal.
func (d *demo) interrupt() {
	d.Helper()
	if err := syscall.Kill(-d.cmd.Process.Pid, syscall.SIGINT); err != nil {
		d.Fatal(err)
	}
}

func (d *demo) wantExit(status int) {
	d.Helper()
	select {
	case <-d.gone:
	case <-time.After(3 * time.Minute):
		d.Fatal("the demonstration has not ended within three minutes")
	}
	if got := d.cmd.ProcessState.ExitCode(); got != status {
		d.Errorf("it ended with %v, want the exit status %d", d.cmd.ProcessState, status)
	}
}

// want looks for a pattern in the output.
func (d *demo) want(pattern string) []string {
	d.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(d.output.String())
	if match == nil {
		d.Fatalf("the output does not match %s", pattern)
	}
	return match
}

// eventually waits for what processes do in their own time.
func (d *demo) eventually(what string, limit time.Duration, holds func() bool) {
	d.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.Fatalf("not so within %v: %s", limit, what)
		}
	}
}

func (d *demo) await(text string) {
	d.Helper()
	d.eventually("it says "+text, 3*time.Minute, func() bool { return strings.Contains(d.output.String(), text) })
}

func (d *demo) awaitProcess(name string) {
	d.Helper()
	d.eventually(name+" runs", 3*time.Minute, func() bool { return len(d.processes(name)) > 0 })
}

func (d *demo) awaitNoProcess(limit time.Duration) {
	d.Helper()
	d.eventually("no process is left", limit, func() bool { return len(d.processes("")) == 0 })
}

// wantNothingLeft looks for processes and files of the demonstration, which has ended.
func (d *demo) wantNothingLeft() {
	d.Helper()
	for _, pid := range d.processes("") {
		command, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		d.Errorf("process %d is left: %q", pid, bytes.ReplaceAll(command, []byte{0}, []byte{' '}))
	}
	left, err := os.ReadDir(d.tmp)
	if err != nil || len(left) > 0 {
		d.Errorf("temporary files are left: %v, %v", left, err)
	}
}

// processes finds what the demonstration has started, by what it has handed down: the environment. It
// finds nothing where there is no /proc. With a name, only processes that run a binary of that name count.
func (d *demo) processes(name string) []int {
	var pids []int
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environments {
		content, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(content, []byte("TMPDIR="+d.tmp+"\x00")) {
			continue // gone, someone else's, or not ours
		}
		runs, err := os.Readlink(filepath.Join(filepath.Dir(file), "exe"))
		if err != nil || name != "" && filepath.Base(runs) != name {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
