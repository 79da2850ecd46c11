// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

func TestControllersThatAreAskedForRunAndAreToldAndSoJobsEnd(t *testing.T) {
	for _, version := range assets.KubernetesVersions() {
		t.Run(version, func(t *testing.T) { testControllers(t, version) })
	}
}

func testControllers(t *testing.T, version string) {
	var told bytes.Buffer
	more := []string{
		"job-controller", "cronjob-controller", "statefulset-controller",
		"daemonset-controller", "endpointslice-controller",
	}
	p := start(t, Options{
		Nodes: 1, Controllers: append(DefaultControllers(), more...), Version: version,
		Assets: assets.Options{Progress: &told},
	})
	if p.Version() != version {
		t.Errorf("the server says it is %s, want %s", p.Version(), version)
	}
	for _, name := range append(DefaultControllers(), more...) {
		if !strings.Contains(told.String(), name) {
			t.Errorf("the start does not say that %s runs:\n%s", name, told.String())
		}
	}
	client := clientFor(t, p.Config())
	createWorkloads(t, client)
	eventually(t, "the Job is complete", func(ctx context.Context) (bool, error) {
		job, err := client.BatchV1().Jobs("default").Get(ctx, "once", metav1.GetOptions{})
		return err == nil && job.Status.Succeeded == 1 && job.Status.CompletionTime != nil, err
	})
	eventually(t, "the StatefulSet has two ready replicas", func(ctx context.Context) (bool, error) {
		set, err := client.AppsV1().StatefulSets("default").Get(ctx, "db", metav1.GetOptions{})
		return err == nil && set.Status.ReadyReplicas == 2, err
	})
	eventually(t, "the DaemonSet runs on the node", func(ctx context.Context) (bool, error) {
		set, err := client.AppsV1().DaemonSets("default").Get(ctx, "agent", metav1.GetOptions{})
		return err == nil && set.Status.NumberReady == 1, err
	})
	eventually(t, "the Service has two ready endpoints", func(ctx context.Context) (bool, error) {
		return endpoints(ctx, client, "db") == 2, nil
	})
	// A schedule is due at a full minute.
	due := func(ctx context.Context) (bool, error) {
		jobs, err := client.BatchV1().Jobs("default").List(ctx, metav1.ListOptions{})
		return err == nil && len(jobs.Items) > 1, err
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, 75*time.Second, true, due); err != nil {
		t.Errorf("the CronJob makes no Job: %v", err)
	}
}

func endpoints(ctx context.Context, client kubernetes.Interface, service string) (ready int) {
	slices, err := client.DiscoveryV1().EndpointSlices("default").List(ctx, metav1.ListOptions{
		LabelSelector: "kubernetes.io/service-name=" + service,
	})
	if err != nil {
		return 0
	}
	for _, slice := range slices.Items {
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready != nil && *e.Conditions.Ready {
				ready++
			}
		}
	}
	return ready
}

// createWorkloads creates one object for each of the controllers.
func createWorkloads(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	template := newDeployment("pod", 1).Spec.Template
	finite := template
	finite.Spec.RestartPolicy = corev1.RestartPolicyNever
	two, labels := int32(2), &metav1.LabelSelector{MatchLabels: template.Labels}
	job := batchv1.JobSpec{Template: finite}

	_, jobErr := client.BatchV1().Jobs("default").Create(t.Context(), &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "once"}, Spec: job,
	}, metav1.CreateOptions{})
	_, cronErr := client.BatchV1().CronJobs("default").Create(t.Context(), &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "often"},
		Spec:       batchv1.CronJobSpec{Schedule: "* * * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: job}},
	}, metav1.CreateOptions{})
	db := *template.DeepCopy()
	db.Labels = map[string]string{"app": "db"}
	_, setErr := client.AppsV1().StatefulSets("default").Create(t.Context(), &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "db"},
		Spec: appsv1.StatefulSetSpec{
			ServiceName: "db", Replicas: &two, Template: db,
			Selector: &metav1.LabelSelector{MatchLabels: db.Labels},
		},
	}, metav1.CreateOptions{})
	_, daemonErr := client.AppsV1().DaemonSets("default").Create(t.Context(), &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "agent"},
		Spec:       appsv1.DaemonSetSpec{Selector: labels, Template: template},
	}, metav1.CreateOptions{})
	_, serviceErr := client.CoreV1().Services("default").Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "db"},
		Spec: corev1.ServiceSpec{
			Selector: db.Labels, Ports: []corev1.ServicePort{{Port: 5432}},
		},
	}, metav1.CreateOptions{})
	if err := errors.Join(jobErr, cronErr, setErr, daemonErr, serviceErr); err != nil {
		t.Fatal(err)
	}
}

func TestAControllerThatDoesNotExistIsAnErrorThatNamesIt(t *testing.T) {
	needsBinaries(t)
	p, err := Start(t.Context(), Options{Nodes: 1, Controllers: []string{"no-such-controller"}, Dir: t.TempDir()})
	if p != nil {
		stop(t, p)
	}
	if err == nil || !strings.Contains(err.Error(), "no-such-controller") {
		t.Errorf("error = %v", err)
	}
}

func TestControllersWithoutNodesAreRefused(t *testing.T) {
	_, err := Start(t.Context(), Options{Controllers: []string{"job-controller"}})
	if !errors.Is(err, ErrNoNodes) {
		t.Errorf("error = %v, want ErrNoNodes", err)
	}
}

func TestAServerAloneSaysThatNoControllersRun(t *testing.T) {
	if got := (Options{}).running(); got != "etcd, kube-apiserver, and no controllers" {
		t.Errorf("it says %q", got)
	}
}
