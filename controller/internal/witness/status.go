// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// precision is that of the times of a pod's status.
const precision = time.Second

// endOf returns how a pod's status shows that a process of the container has ended which acquired a Lease
// at one time and renewed it last at another, "" if it does not show it.
//
// A status may be of an earlier run of the container than the process's, because the kubelet reports late
// and a watch may lag. It then has times from before the process began, and so from before it acquired the
// Lease. That is why only a later time is a proof. Both times are the machine's.
//
// Whoever has renewed the Lease since did not end then, whatever the status says.
func endOf(pod *corev1.Pod, container string, acquired, renewed time.Time) string {
	at, how := lastEnd(pod, container)
	if acquired.IsZero() || !at.After(acquired) || !renewed.Before(at.Add(precision)) {
		return ""
	}
	return fmt.Sprintf("%s at %s", how, at.UTC().Format(time.RFC3339))
}

// lastEnd returns the latest moment at which a run of the container had ended, cut to seconds, zero if
// none is known.
func lastEnd(pod *corev1.Pod, container string) (at time.Time, how string) {
	for _, status := range slices.Concat(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses) {
		if status.Name != container {
			continue
		}
		switch {
		case status.State.Running != nil:
			return seconds(status.State.Running.StartedAt), "its container was started again"
		case status.State.Terminated != nil:
			return seconds(status.State.Terminated.FinishedAt), "its container ended"
		case status.LastTerminationState.Terminated != nil: // it waits to be started again
			return seconds(status.LastTerminationState.Terminated.FinishedAt), "its container ended"
		}
	}
	return time.Time{}, ""
}

// seconds cuts a time as it is cut on its way through the API.
func seconds(t metav1.Time) time.Time { return t.Truncate(precision) }
