// SPDX-License-Identifier: Apache-2.0

package soak_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/process"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// lease is the duration of the replicas' Leases.
const lease = 6 * time.Second

// replica is a place where a process of the sample runs, with a connection to the API server that can be disturbed.
type replica struct {
	t          *testing.T
	identity   string
	kubeconfig string
	proxy      *shutdowntest.Proxy
	cmd        *exec.Cmd
	log        *output.Buffer // of the process
	gone       chan struct{}  // is closed when the process is
	starts     int
}

func newReplica(t *testing.T, identity string) *replica {
	r := &replica{t: t, identity: identity, proxy: shutdowntest.NewProxy(t, plane.Config())}
	r.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := controlplane.WriteKubeconfig(r.kubeconfig, r.proxy.Config()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.kill()
		if t.Failed() {
			text := r.log.String()
			t.Logf("the last that %s wrote:\n%s", identity, text[max(0, len(text)-6000):])
		}
	})
	r.start()
	return r
}

// start starts a process.
func (r *replica) start() {
	r.t.Helper()
	r.starts++
	r.log = &output.Buffer{}
	gone := make(chan struct{})
	r.gone = gone
	cmd := exec.Command(binary, "-kubeconfig", r.kubeconfig, "-health-addr", "", "-shards", "-shards-slots", "16",
		"-leader-elect-namespace", "default", "-leader-elect-identity", r.identity,
		"-leader-elect-lease-duration", lease.String(), "-leader-elect-renew-deadline", (lease * 2 / 3).String(),
		"-leader-elect-retry-period", (lease / 6).String())
	cmd.Stderr = r.log
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.cmd = cmd
	go func() {
		defer close(gone)
		_ = cmd.Wait() // the state says how it ended
	}()
}

func (r *replica) signal(s syscall.Signal) { _ = r.cmd.Process.Signal(s) }

func (r *replica) kill() {
	r.signal(syscall.SIGKILL) // a stopped one too
	<-r.gone
}

// end ends the process as a roll-out does.
func (r *replica) end() {
	r.t.Helper()
	r.signal(syscall.SIGTERM)
	select {
	case <-r.gone:
	case <-time.After(time.Minute):
		r.t.Fatalf("%s does not end", r.identity)
	}
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		r.t.Errorf("%s ended with %d:\n%s", r.identity, code, r.log)
	}
}

// check returns what is wrong with the process.
func (r *replica) check() error {
	select {
	case <-r.gone:
		return fmt.Errorf("%s has ended by itself: %v", r.identity, r.cmd.ProcessState)
	default:
	}
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, "panic") || strings.Contains(line, "level=ERROR") && strings.Contains(line, "context canceled") {
			return fmt.Errorf("%s wrote: %s", r.identity, line)
		}
	}
	return nil
}

// memory returns the resident memory of the process, in megabytes; 0 where it is not known.
func (r *replica) memory() int {
	megabytes, _ := process.ResidentMemory(r.cmd.Process.Pid)
	return megabytes
}
