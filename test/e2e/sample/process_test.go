// SPDX-License-Identifier: Apache-2.0

package sample_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
)

// process is a run of the sample controller.
type process struct {
	*testing.T
	cmd    *exec.Cmd
	output *output.Buffer
	gone   chan struct{} // closed when the process has ended
}

// start runs the sample controller until the test ends. What it does with the environment of whoever runs
// the tests is none of theirs, so it has none.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{T: t, output: &output.Buffer{}}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.run()
	return p
}

func (p *process) run() {
	p.Helper()
	p.cmd.Env = []string{"HOME=" + p.TempDir(), "GORACE=atexit_sleep_ms=0"} // or its end would take a second
	if err := p.cmd.Start(); err != nil {
		p.Fatal(err)
	}
	p.gone = make(chan struct{})
	go func() {
		defer close(p.gone)
		_ = p.cmd.Wait() // the state says how it ended
	}()
	p.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.gone
		if p.Failed() {
			p.Logf("flunder-controller %s wrote:\n%s", strings.Join(p.cmd.Args[1:], " "), p.output)
		}
	})
}

// exit waits for the process to end by itself, and returns its status and how long that took.
func (p *process) exit(limit time.Duration) (status int, took time.Duration) {
	p.Helper()
	began := time.Now()
	select {
	case <-p.gone:
	case <-time.After(limit):
		p.Fatalf("the process still runs after %v", limit)
	}
	return p.cmd.ProcessState.ExitCode(), time.Since(began)
}

func (p *process) signal(s os.Signal) {
	p.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.Fatal(err)
	}
}

var (
	healthLine = regexp.MustCompile(`"Serving health" address="([^"]+)"`)
	infoLine   = regexp.MustCompile(`^I\d{4} [\d:.]+ +\d+ `)
)

// healthURL waits until the process serves health, and returns where.
func (p *process) healthURL() string {
	p.Helper()
	return "http://" + p.output.Await(p.T, healthLine)[1]
}

// ready waits until the process says that it is.
func (p *process) ready() *process {
	p.Helper()
	url := p.healthURL() + "/readyz"
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if status, body := get(p.T, url); status == http.StatusOK {
			return p
		} else if time.Now().After(deadline) {
			p.Fatalf("not ready after a minute: %d %s", status, body)
		}
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true // or an idle connection would be left
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(content))
}

// killedBy returns the signal that ended the process, 0 if none did.
func (p *process) killedBy() syscall.Signal {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return 0
	}
	return status.Signal()
}
