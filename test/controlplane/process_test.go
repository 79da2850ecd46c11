// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

func TestAComponentThatEndsWhileItIsAwaitedEndsTheWaitWithItsLog(t *testing.T) {
	p := plane(t, "echo no stages found; exit 3")
	err := p.await(t.Context(), func(context.Context) error { return errors.New("never ready") })
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no stages found") {
		t.Errorf("error = %v, want the exit status and the log", err)
	}
}

func TestAComponentThatDoesNotListenIsKilledWhenTheContextEnds(t *testing.T) {
	p := plane(t, `trap '' TERM; while :; do sleep 0.05; done`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.children[0].stop(ctx); err != nil {
		t.Error(err)
	}
	if pids := p.dirs.pids(); len(pids) != 0 {
		t.Errorf("pid files are left: %v", pids)
	}
}

func TestTheGuardKillsAndRemovesWhenItsParentIsGone(t *testing.T) {
	p := plane(t, "sleep 1000 & wait")
	g, err := startGuard(p.dirs)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.in.Close(); err != nil { // as the kernel does when we die
		t.Fatal(err)
	}
	<-p.children[0].done
	if err := g.cmd.Wait(); err != nil {
		t.Error(err)
	}
	wantNothingLeft(t, p.Dir())
}

func TestADismissedGuardTouchesNothing(t *testing.T) {
	p := plane(t, "sleep 1000 & wait")
	g, err := startGuard(p.dirs)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.dismiss(); err != nil {
		t.Fatal(err)
	}
	if err := p.children[0].ended(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(p.dirs.state); err != nil {
		t.Error(err)
	}
}

func TestANodeThatIsNotReadyIsDescribed(t *testing.T) {
	ready := corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}
	tainted, unready, good := newNode(0), newNode(1), newNode(2)
	tainted.Status, good.Status = ready, ready
	tainted.Spec.Taints = []corev1.Taint{{Key: "node.kubernetes.io/not-ready", Effect: corev1.TaintEffectNoSchedule}}
	p := &ControlPlane{client: fake.NewClientset(tainted, unready, good)}
	for name, want := range map[string]string{
		"node-0": "still has the taint node.kubernetes.io/not-ready",
		"node-1": "condition Ready is Unknown",
		"node-3": "not found",
	} {
		if err := p.nodeMissing(t.Context(), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if err := p.nodeMissing(t.Context(), "node-2"); err != nil {
		t.Errorf("node-2: %v, want it ready", err)
	}
}

// plane has one child, which runs the shell commands as kwok.
func plane(t *testing.T, commands string) *ControlPlane {
	t.Helper()
	d, err := makeDirs(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	// See writeLauncher.
	syscall.ForkLock.RLock()
	err = os.WriteFile(filepath.Join(bin, string(assets.Kwok)), []byte("#!/bin/sh\n"+commands+"\n"), 0o700)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	child, err := startProcess(d, bin, assets.Kwok)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-child.cmd.Process.Pid, syscall.SIGKILL) // with what it started
		<-child.done
	})
	return &ControlPlane{dirs: d, children: []*process{child}}
}
