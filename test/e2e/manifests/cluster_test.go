// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"context"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/cluster"
)

const system = "lanyard-system"

// TestAClusterTakesTheManifests applies config/default to a cluster with a simulated node: every admission
// plugin of a real one is on, and the pods of a Deployment really come up.
func TestAClusterTakesTheManifests(t *testing.T) {
	plane, err := controlplane.Start(t.Context(), controlplane.Options{Nodes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	// ApplyConfig fails when the API server warns, of a field it does not know or a pod it would refuse.
	if err := cluster.ApplyConfig(t.Context(), plane.Config(), "../../..", "default", "default"); err != nil {
		t.Fatal(err)
	}
	admin := kubernetes.NewForConfigOrDie(plane.Config())
	t.Run("again, without a change", func(t *testing.T) { applyAgain(t, plane) })
	t.Run("and the samples, unless they are not valid", func(t *testing.T) { applySamples(t, plane) })
	t.Run("and admits the manager's pod as restricted", func(t *testing.T) { admitManager(t, admin) })
	t.Run("and brings the manager's pods up", func(t *testing.T) { awaitManager(t, admin) })
	t.Run("and lets the manager do what its role says and no more", func(t *testing.T) { reviewAccount(t, plane) })
}

func applyAgain(t *testing.T, plane *controlplane.ControlPlane) {
	roles := kubernetes.NewForConfigOrDie(plane.Config()).RbacV1().ClusterRoles()
	before, err := roles.Get(t.Context(), "flunder-controller", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.ApplyConfig(t.Context(), plane.Config(), "../../..", "default", "default"); err != nil {
		t.Fatal(err)
	}
	after, err := roles.Get(t.Context(), "flunder-controller", metav1.GetOptions{})
	if err != nil || after.ResourceVersion != before.ResourceVersion {
		t.Errorf("the role was written again: %v", err)
	}
}

func applySamples(t *testing.T, plane *controlplane.ControlPlane) {
	if err := cluster.ApplyConfig(t.Context(), plane.Config(), "../../..", "default", "samples"); err != nil {
		t.Fatal(err)
	}
	list, err := versioned.NewForConfigOrDie(plane.Config()).WardleV1beta1().Flunders("default").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 6 {
		t.Errorf("there are %d Flunders, %v", len(list.Items), err)
	}
	broken := build(t, config+"/samples")[:1]
	if err := unstructured.SetNestedField(broken[0].Object, int64(-1), "spec", "replicas"); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Apply(t.Context(), plane.Config(), "default", broken); !apierrors.IsInvalid(err) {
		t.Errorf("a Flunder with -1 replicas was taken: %v", err)
	}
}

// admitManager has the server's own admission judge the pod, and another that is not fit.
func admitManager(t *testing.T, admin kubernetes.Interface) {
	template := manager(t, build(t, config+"/default")).Spec.Template
	pod := &corev1.Pod{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: template.Spec}
	pod.GenerateName = "admitted-"
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	admitted, err := admin.CoreV1().Pods(system).Create(t.Context(), pod, dryRun)
	if err != nil {
		t.Fatal(err)
	}
	if admitted.Spec.ServiceAccountName != "flunder-controller" || len(admitted.Spec.Volumes) != 1 || admitted.Spec.Volumes[0].Projected == nil {
		t.Errorf("it runs as %q with the volumes %v, want the account's token in the only one", admitted.Spec.ServiceAccountName, admitted.Spec.Volumes)
	}
	pod.Spec.SecurityContext.RunAsNonRoot = nil
	_, err = admin.CoreV1().Pods(system).Create(t.Context(), pod, dryRun)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
		t.Errorf("a pod that may run as root: %v", err)
	}
}

func awaitManager(t *testing.T, admin kubernetes.Interface) {
	var d *appsv1.Deployment
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (_ bool, err error) {
		d, err = admin.AppsV1().Deployments(system).Get(ctx, "flunder-controller", metav1.GetOptions{})
		return err == nil && d.Status.AvailableReplicas == 2, err
	})
	if err != nil {
		t.Fatalf("%v: %+v", err, d.Status)
	}
}
