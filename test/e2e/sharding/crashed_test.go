// SPDX-License-Identifier: Apache-2.0

package sharding_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kubelet"
)

// crashLease is far longer than what a proof takes.
const crashLease = 30 * time.Second

// inPod starts a replica that passes for a pod.
func (w *world) inPod(name string, flags ...string) *process {
	w.t.Helper()
	pod, err := kubelet.Create(w.t.Context(), w.client.CoreV1().Pods(w.leases), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return start(w.t, w.leases, name, append(flags, "-objects", w.prefix, "-lease", crashLease.String(), "-pod", string(pod.UID))...)
}

// TestC32TheSlotsOfAKilledReplicaAreTakenAtOnceIfItsEndIsProved: of three replicas that follow each other's pods, one
// after the other is killed.
func TestC32TheSlotsOfAKilledReplicaAreTakenAtOnceIfItsEndIsProved(t *testing.T) {
	w := newWorld(t, "crashed", 1)
	replicas := []*process{w.inPod("a"), w.inPod("b"), w.inPod("c")}
	eventually(t, "all slots are served", func() error { return w.served(replicas) })
	time.Sleep(1100 * time.Millisecond) // a status has whole seconds, and the Leases are older then
	for len(replicas) > 1 {
		at := time.Now()
		replicas[0].signal(syscall.SIGKILL)
		time.Sleep(kubelet.Delay)
		if _, err := kubelet.Report(t.Context(), w.client.CoreV1().Pods(w.leases), replicas[0].identity, kubelet.Killed(at)); err != nil {
			t.Fatal(err)
		}
		replicas = replicas[1:]
		eventually(t, "the others serve all slots", func() error { return w.served(replicas) })
		took := time.Since(at)
		t.Logf("all slots are served %v after the SIGKILL, with a Lease of %v", took.Round(time.Millisecond), crashLease)
		if took >= crashLease {
			t.Errorf("the slots of a killed replica were taken after %v, as long as its Lease", took)
		}
		time.Sleep(6 * time.Second) // they renew
	}
}
