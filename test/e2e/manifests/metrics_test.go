// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestTheMetricsComponentServesThemAtItsPortAndChangesNothingElse(t *testing.T) {
	without, with := manager(t, build(t, config+"/default")), manager(t, build(t, "testdata/metrics"))
	before, after := without.Spec.Template.Spec.Containers[0], with.Spec.Template.Spec.Containers[0]
	if want := append(slices.Clone(before.Args), "--metrics-addr=:8080"); !slices.Equal(after.Args, want) {
		t.Errorf("the arguments are %q, want %q", after.Args, want)
	}
	if want := append(slices.Clone(before.Ports), corev1.ContainerPort{Name: "metrics", ContainerPort: 8080}); !slices.Equal(after.Ports, want) {
		t.Errorf("the ports are %v, want %v", after.Ports, want)
	}
	for name, want := range map[string]string{
		"prometheus.io/scrape": "true", "prometheus.io/port": "8080",
		"kubectl.kubernetes.io/default-container": "manager", // which was there
	} {
		if got := with.Spec.Template.Annotations[name]; got != want {
			t.Errorf("the annotation %s is %q, want %q", name, got, want)
		}
	}
	if result := restricted(t, with); !result.Allowed {
		t.Error(result.ForbiddenDetail())
	}
	if len(without.Spec.Template.Annotations) != 1 || slices.Contains(before.Args, "--metrics-addr=:8080") {
		t.Error("they are served without the component too")
	}
}
