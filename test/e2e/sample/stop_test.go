// SPDX-License-Identifier: Apache-2.0

package sample_test

import (
	"net"
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

// prompt is less than what a person takes for waiting.
const prompt = time.Second

func TestHealthIsOKAtOnceAndReadinessFollowsTheCaches(t *testing.T) {
	network, config := newProxy(t, account(t))
	network.stall()
	p := start(t, "-kubeconfig="+kubeconfig(t, config), "-health-addr=127.0.0.1:0")
	url := p.healthURL()
	if status, body := get(t, url+"/healthz"); status != http.StatusOK || body != "ok" {
		t.Errorf("while the caches fill, /healthz is %d %q", status, body)
	}
	network.awaitHeld(t, 1)
	// What it waits for follows, once it waits.
	if status, body := get(t, url+"/readyz"); status != http.StatusServiceUnavailable || !strings.HasPrefix(body, "0 of 1 controllers are ready") {
		t.Errorf("while the caches fill, /readyz is %d %q", status, body)
	}
	network.resume()
	p.ready()
	if status, _ := get(t, url+"/metrics"); status != http.StatusNotFound {
		t.Errorf("what is not served is %d", status)
	}
}

func TestASignalEndsTheProcessAtOnceWithAReport(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			e := newEnv(t)
			p := start(t, "-kubeconfig="+kubeconfig(t, account(t)), "-health-addr=127.0.0.1:0", "-namespace="+e.namespace).ready()
			e.create("a")
			e.awaitRollingOut("a")
			p.signal(s)
			wantPromptEnd(t, p)
			if text := "the manager is shutting down: received the signal " + s.String(); !strings.Contains(p.output.String(), text) {
				t.Errorf("the report does not say %q", text)
			}
		})
	}
}

func wantPromptEnd(t *testing.T, p *process) {
	t.Helper()
	status, took := p.exit(30 * time.Second)
	t.Logf("gone after %v", took)
	if status != 0 {
		t.Errorf("the exit status is %d", status)
	}
	if took > prompt {
		t.Errorf("it was gone only after %v", took)
	}
	for _, text := range []string{"stopped in ", "left running: nothing\n"} {
		if !strings.Contains(p.output.String(), text) {
			t.Errorf("the report does not say %q", text)
		}
	}
	if strings.Contains(p.output.String(), "\nE") {
		t.Error("errors were logged")
	}
}

func TestTheReportNamesTheItemsAndCallsThatWereCancelled(t *testing.T) {
	e := newEnv(t)
	network, config := newProxy(t, account(t))
	p := start(t, "-kubeconfig="+kubeconfig(t, config), "-health-addr=127.0.0.1:0", "-namespace="+e.namespace).ready()
	network.stall()
	e.create("stuck")
	network.awaitHeld(t, aRequest)
	p.signal(os.Interrupt)
	wantPromptEnd(t, p)
	item := regexp.MustCompile(`(?m)^ +item flunder ` + e.namespace + `/stuck, running for \S+, in apply deployments.apps ` + e.namespace + `/stuck for \S+$`)
	if !item.MatchString(p.output.String()) {
		t.Errorf("the report does not match %s", item)
	}
}

// An idle client, such as a load balancer that has connected ahead of its first probe, is not waited for.
func TestAConnectionThatAsksNothingDoesNotHoldUpTheEnd(t *testing.T) {
	p := start(t, "-kubeconfig="+kubeconfig(t, account(t)), "-health-addr=127.0.0.1:0").ready()
	idle, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.healthURL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Close() }()
	p.signal(os.Interrupt)
	wantPromptEnd(t, p)
}

func TestASignalEndsTheProcessAtOnceWhileTheAPIServerIsDown(t *testing.T) {
	config := account(t)
	config.Host = "https://" + closedPort(t)
	p := start(t, "-kubeconfig="+kubeconfig(t, config), "-health-addr=127.0.0.1:0")
	p.output.Await(t, regexp.MustCompile(`List or watch failed, trying again.*refused`))
	p.signal(os.Interrupt)
	wantPromptEnd(t, p)
}

// The process hangs because it cannot write: its standard error is a pipe that is full.
func TestASecondSignalEndsAProcessThatHangs(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{T: t, output: &output.Buffer{}}
	p.cmd = exec.Command(binary, "-kubeconfig="+kubeconfig(t, account(t)), "-health-addr=127.0.0.1:0")
	p.cmd.Stderr = writer
	p.run()
	line := make([]byte, 4096)
	n, err := reader.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = p.output.Write(line[:n])
	p.ready()
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		_, _ = writer.Write(make([]byte, 1<<20)) // more than fits, so it returns when the reader is closed
	}()
	t.Cleanup(func() { _, _ = reader.Close(), writer.Close(); <-filled })

	address := strings.TrimPrefix(p.healthURL(), "http://")
	p.signal(os.Interrupt)
	for { // it has heard the first when it no longer serves
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	select {
	case <-p.gone:
		t.Fatal("one signal ended it, so this test shows nothing")
	case <-time.After(300 * time.Millisecond):
	}
	p.signal(os.Interrupt)
	if _, took := p.exit(prompt); p.killedBy() != syscall.SIGINT {
		t.Errorf("after %v it ended by itself: %v", took, p.cmd.ProcessState)
	}
}
