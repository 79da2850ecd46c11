// SPDX-License-Identifier: Apache-2.0

// Package kubelet makes pods and says of their containers what a kubelet would: the control planes of tests have none.
package kubelet

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// Container is the name of the only container of a pod.
const Container = "manager"

// Delay is how long a kubelet takes to report the end of a container, or to start it again.
const Delay = 200 * time.Millisecond

// Create makes a pod whose container runs. It is on no node.
func Create(ctx context.Context, pods corev1client.PodInterface, name string) (*corev1.Pod, error) {
	return create(ctx, pods, name, "")
}

func create(ctx context.Context, pods corev1client.PodInterface, name, node string) (*corev1.Pod, error) {
	_, err := pods.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: Container, Image: "example.com/manager"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("make the pod %s: %w", name, err)
	}
	return Report(ctx, pods, name, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}})
}

// Report writes to a pod's status what its container does.
func Report(ctx context.Context, pods corev1client.PodInterface, name string, state corev1.ContainerState) (*corev1.Pod, error) {
	pod, err := pods.Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: Container, Image: "example.com/manager", State: state}}
		pod, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	}
	if err != nil {
		return nil, fmt.Errorf("report the state of the container of pod %s: %w", name, err)
	}
	return pod, nil
}

// Killed is the state of a container that was killed at a time. A status has whole seconds.
func Killed(at time.Time) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: 137, Reason: "Error", StartedAt: metav1.NewTime(at.Add(-time.Minute)), FinishedAt: metav1.NewTime(at),
	}}
}
