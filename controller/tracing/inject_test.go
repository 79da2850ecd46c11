// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"encoding/json"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	autoscalingac "k8s.io/client-go/applyconfigurations/autoscaling/v1"
	coordinationac "k8s.io/client-go/applyconfigurations/coordination/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	eventsac "k8s.io/client-go/applyconfigurations/events/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/internal/traceannotation"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

func toUnstructured(t *testing.T, object any, to *unstructured.Unstructured) {
	t.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	to.Object = fields
}

// desired is what a controller would apply, with a quantity that the server writes in another way.
func desired(replicas int32) *appsac.DeploymentApplyConfiguration {
	return appsac.Deployment("a", "ns").WithLabels(map[string]string{"app": "a"}).
		WithSpec(appsac.DeploymentSpec().WithReplicas(replicas).WithPaused(false).
			WithTemplate(coreac.PodTemplateSpec().WithSpec(coreac.PodSpec().WithContainers(
				coreac.Container().WithName("main").WithImage("x").WithResources(coreac.ResourceRequirements().
					WithRequests(corev1.ResourceList{"cpu": resource.MustParse("1000m")}))))))
}

// asApplied is the object that the server makes of desired(1), with its defaults and a sidecar.
func asApplied(t *testing.T, trace string) *appsv1.Deployment {
	t.Helper()
	data, err := json.Marshal(desired(1))
	if err != nil {
		t.Fatal(err)
	}
	live := &appsv1.Deployment{}
	if err := json.Unmarshal(data, live); err != nil {
		t.Fatal(err)
	}
	live.TypeMeta = metav1.TypeMeta{}
	live.UID, live.ResourceVersion, live.Generation = "live", "7", 1
	live.Spec.RevisionHistoryLimit = ptr.To[int32](10)
	pod := &live.Spec.Template.Spec
	pod.Containers[0].ImagePullPolicy = corev1.PullAlways
	pod.Containers[0].Resources.Requests["cpu"] = resource.MustParse("1")
	pod.Containers = append(pod.Containers, corev1.Container{Name: "sidecar"})
	if trace != "" {
		live.Annotations = map[string]string{tracing.AnnotationKey: trace}
	}
	return live
}

func TestAnApplyThatChangesNothingDoesNotChangeTheStamp(t *testing.T) {
	on := &traceannotation.Settings{Write: true}
	const fresh = "fresh"
	for name, c := range map[string]struct {
		sampled  bool
		replicas int32
		live     *appsv1.Deployment
		self     types.UID
		want     string
	}{
		"create":                         {true, 1, nil, "", fresh},
		"create, not sampled":            {false, 1, nil, "", ""},
		"nothing changes":                {true, 1, asApplied(t, stamp), "", stamp},
		"nothing changes, not sampled":   {false, 1, asApplied(t, stamp), "", stamp},
		"nothing changes, nothing there": {true, 1, asApplied(t, ""), "", ""},
		"a change":                       {true, 2, asApplied(t, stamp), "", fresh},
		"a change to zero":               {true, 0, asApplied(t, stamp), "", fresh},
		"the first stamp":                {true, 2, asApplied(t, ""), "", fresh},
		"a change, not sampled":          {false, 2, asApplied(t, stamp), "", ""},
		"of what is being reconciled":    {true, 2, asApplied(t, stamp), "live", stamp},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := sampledContext(t, c.sampled, on, c.self)
			if c.want == fresh {
				c.want = stampOf(ctx)
			}
			check := func(live tracing.Object, how string) {
				stamped := tracing.Inject(ctx, desired(c.replicas), live)
				if got := stamped.Annotations[tracing.AnnotationKey]; got != c.want {
					t.Errorf("%s: stamped %q, want %q", how, got, c.want)
				}
				if template := stamped.Spec.Template; template.ObjectMetaApplyConfiguration != nil && len(template.Annotations) > 0 {
					t.Error("the pod template was stamped")
				}
			}
			check(c.live, "typed") // a nil *Deployment too
			if c.live == nil {
				check(nil, "nil")
			}
		})
	}
	if got := tracing.Inject(sampledContext(t, true, &traceannotation.Settings{}, ""), desired(2), asApplied(t, stamp)); len(got.Annotations) != 0 {
		t.Error("stamped although writing is off")
	}
	var structured unstructured.Unstructured
	toUnstructured(t, asApplied(t, stamp), &structured)
	structured.Object["spec"].(map[string]any)["template"] = map[string]any{}
	ctx := sampledContext(t, true, on, "")
	if got := tracing.Inject(ctx, desired(1), &structured); got.Annotations[tracing.AnnotationKey] != stampOf(ctx) {
		t.Error("a change of an unstructured object was not seen")
	}
}

func TestLeasesEventsAndScalesAreNeverStamped(t *testing.T) {
	ctx := sampledContext(t, true, &traceannotation.Settings{Write: true}, "")
	for name, annotations := range map[string]map[string]string{
		"Lease":      tracing.Inject(ctx, coordinationac.Lease("a", "ns").WithLabels(nil).WithName("a"), nil).Annotations,
		"Event":      tracing.Inject(ctx, eventsac.Event("a", "ns").WithName("a"), nil).Annotations,
		"core Event": tracing.Inject(ctx, coreac.Event("a", "ns").WithName("a"), nil).Annotations,
		"Scale":      tracing.Inject(ctx, autoscalingac.Scale().WithName("a"), nil).Annotations,
	} {
		if len(annotations) != 0 {
			t.Errorf("a %s was stamped", name)
		}
	}
}
