// SPDX-License-Identifier: Apache-2.0

// Package sharding_test shows on a real API server, with replicas that are processes, that all of them work
// and that no object is in two hands. What is true is what the API server tells a watch, in its order.
package sharding_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/gobuild"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// moves is how often each sort of move is made: a replica that joins, leaves, is killed, or stands still.
var moves = flag.Int("moves", 2, "how many moves of each sort")

// size is how many bytes each object has besides.
var size = flag.Int("size", 1000, "how many bytes of data each object has")

// record is where the figures go.
var record = flag.String("record", "", "file for the figures of the test of throughput, which test/bench draws")

// steady is for how long changes come at a steady rate.
var steady = flag.Duration("steady", 2*time.Second, "for how long changes come at a steady rate, in the test of throughput")

// scale is how many objects several replicas share in the test of their throughput.
var scale = flag.Int("scale", 400, "how many objects are shared")

var (
	plane  *controlplane.ControlPlane
	binary string // the replica's
)

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Prepare: prepare, Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

// prepare builds the replica, without the race detector: tests in virtual time run the same code with it.
func prepare(ctx context.Context, root, dir string) (controlplane.Options, error) {
	binary = filepath.Join(dir, "replica")
	if err := gobuild.Program(ctx, root, "test/e2e", "./sharding/replica", binary); err != nil {
		return controlplane.Options{}, err
	}
	return controlplane.Options{}, nil
}

func client() kubernetes.Interface {
	config := plane.Config()
	config.QPS = -1
	return kubernetes.NewForConfigOrDie(config)
}

// process is a replica.
type process struct {
	t        *testing.T
	identity string
	cmd      *exec.Cmd
	log      *output.Buffer
	gone     chan struct{}
}

func start(t *testing.T, namespace, identity string, flags ...string) *process {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := controlplane.WriteKubeconfig(kubeconfig, plane.Config()); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, identity: identity, log: &output.Buffer{}, gone: make(chan struct{})}
	p.cmd = exec.Command(binary, append([]string{"-kubeconfig", kubeconfig, "-namespace", namespace, "-identity", identity}, flags...)...)
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.gone)
		_ = p.cmd.Wait() // the state says how it ended
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL) // a stopped one too
		<-p.gone
		if t.Failed() {
			text := p.log.String()
			t.Logf("the last that %s wrote:\n%s", identity, text[max(0, len(text)-3000):])
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// leave ends the replica as a roll-out does.
func (p *process) leave() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("%s does not end", p.identity)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("%s ended with %d", p.identity, code)
	}
}

// eventually waits for what comes about in its own time.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	suite.Within(t, 5*time.Minute, what, holds)
}
