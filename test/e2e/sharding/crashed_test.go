// SPDX-License-Identifier: Apache-2.0

package sharding_test

import (
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// crashLease is far longer than what a proof takes.
const crashLease = 30 * time.Second

// inPod starts a replica that passes for a pod.
func (w *world) inPod(name string, flags ...string) *process {
	w.t.Helper()
	pod, err := w.client.CoreV1().Pods(w.leases).Create(w.t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "manager", Image: "example.com/manager"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.report(name, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}})
	return start(w.t, w.leases, name, append(flags, "-objects", w.prefix, "-lease", crashLease.String(), "-pod", string(pod.UID))...)
}

// report is what a kubelet says of the container of a pod.
func (w *world) report(name string, state corev1.ContainerState) {
	w.t.Helper()
	pods := w.client.CoreV1().Pods(w.leases)
	pod, err := pods.Get(w.t.Context(), name, metav1.GetOptions{})
	if err == nil {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "manager", Image: "example.com/manager", State: state}}
		_, err = pods.UpdateStatus(w.t.Context(), pod, metav1.UpdateOptions{})
	}
	if err != nil {
		w.t.Fatal(err)
	}
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
		time.Sleep(200 * time.Millisecond) // which a kubelet takes
		w.report(replicas[0].identity, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: 137, Reason: "Error", StartedAt: metav1.NewTime(at.Add(-time.Minute)), FinishedAt: metav1.NewTime(at),
		}})
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
