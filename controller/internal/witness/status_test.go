// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The holder acquired the Lease at eight, and renewed it last eight seconds and a half later.
func acquired() time.Time { return time.Date(2026, 11, 27, 8, 0, 0, 250e6, time.UTC) }
func renewed() time.Time  { return acquired().Add(8500 * time.Millisecond) }

// after returns a time so many seconds after eight, as a status has it.
func after(seconds int) metav1.Time {
	return metav1.NewTime(acquired().Truncate(time.Second).Add(time.Duration(seconds) * time.Second))
}

func running(from int) corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: after(from)}}
}

func terminated(at int) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: after(-60), FinishedAt: after(at)}}
}

func waiting() corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
}

func withStatus(name string, state, last corev1.ContainerState) *corev1.Pod {
	return &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
		{Name: "proxy", State: terminated(9)},
		{Name: name, State: state, LastTerminationState: last},
	}}}
}

func TestC32OnlyAnEndThatTheKubeletReportsAndThatIsLaterThanTheTermBeganIsAProof(t *testing.T) {
	none := corev1.ContainerState{}
	unknown := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "ContainerStatusUnknown", ExitCode: 137}}
	sidecar := &corev1.Pod{Status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{{Name: "manager", State: terminated(9)}}}}
	failed := withStatus("manager", running(-5), none)
	failed.Status.Phase = corev1.PodFailed
	for name, test := range map[string]struct {
		pod *corev1.Pod
		how string
	}{
		"no status":                                         {&corev1.Pod{}, ""},
		"it runs":                                           {withStatus("manager", running(-5), none), ""},
		"it runs, after an earlier crash":                   {withStatus("manager", running(-5), terminated(-6)), ""},
		"it ended":                                          {withStatus("manager", terminated(9), none), "its container ended at 2026-11-27T08:00:09Z"},
		"it ended right after the last renewal":             {withStatus("manager", terminated(8), none), "its container ended at 2026-11-27T08:00:08Z"},
		"it was started again":                              {withStatus("manager", running(10), terminated(9)), "its container was started again at 2026-11-27T08:00:10Z"},
		"it waits to be started again":                      {withStatus("manager", waiting(), terminated(9)), "its container ended at 2026-11-27T08:00:09Z"},
		"a sidecar ended":                                   {sidecar, "its container ended at 2026-11-27T08:00:09Z"},
		"another container ended":                           {withStatus("other", terminated(9), none), ""},
		"the run before ended, the kubelet reports late":    {withStatus("manager", terminated(-1), none), ""},
		"the run before ended in the second of the term":    {withStatus("manager", terminated(0), none), ""},
		"the run before waited, the kubelet reports late":   {withStatus("manager", waiting(), terminated(-1)), ""},
		"the kubelet does not know":                         {withStatus("manager", unknown, none), ""},
		"it waits for the first time":                       {withStatus("manager", waiting(), none), ""},
		"the holder has renewed since":                      {withStatus("manager", terminated(7), none), ""},
		"the holder has renewed since it was started":       {withStatus("manager", running(7), terminated(7)), ""},
		"the phase alone, which others than kubelets write": {failed, ""},
	} {
		if how := endOf(test.pod, "manager", acquired(), renewed()); how != test.how {
			t.Errorf("%s: %q, want %q", name, how, test.how)
		}
	}
	// A holder that has not renewed yet: only the seconds tell the end of the run before from its own.
	for at, proved := range map[int]bool{-1: false, 0: false, 1: true} {
		how := endOf(withStatus("manager", terminated(at), none), "manager", acquired(), acquired())
		if (how != "") != proved {
			t.Errorf("an end %d seconds after the second in which the term began: %q", at, how)
		}
	}
	if how := endOf(withStatus("manager", terminated(9), none), "manager", time.Time{}, renewed()); how != "" {
		t.Errorf("without the time in which the term began: %q", how)
	}
}
