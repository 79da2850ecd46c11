// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

func TestADeploymentBecomesAvailableOnASimulatedNodeAndStopLeavesNothing(t *testing.T) {
	for _, version := range assets.KubernetesVersions() {
		t.Run(version, func(t *testing.T) { testDeployment(t, version) })
	}
}

func TestTheDefaultVersionIsThatOfTheAssets(t *testing.T) {
	if p := start(t, Options{}); p.Version() != assets.KubernetesVersion {
		t.Errorf("the server says it is %s, want %s", p.Version(), assets.KubernetesVersion)
	}
}

func TestAVersionThatThereIsNotIsAnErrorThatListsThoseThereAre(t *testing.T) {
	_, err := Start(t.Context(), Options{Version: "v1.2.3", Dir: t.TempDir()})
	if !errors.Is(err, assets.ErrUnknownVersion) || !strings.Contains(err.Error(), "v1.36.3, v1.37.2") {
		t.Errorf("error = %v", err)
	}
}

func TestBinariesOfAnotherVersionThanTheOneAskedForAreAnError(t *testing.T) {
	if err := (Options{Version: "v1.37.2"}).checkServer("v1.35.0"); !errors.Is(err, ErrOtherVersion) {
		t.Errorf("error = %v", err)
	}
	if err := (Options{}).checkServer("v1.35.0"); err != nil {
		t.Errorf("error without a version = %v", err)
	}
}

func TestAnAPIServerThatWasRestartedHasItsObjectsAndItsUsers(t *testing.T) {
	p := start(t, Options{})
	client := clientFor(t, p.Config())
	watching, err := client.CoreV1().ConfigMaps("default").Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watching.Stop()
	if _, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := p.RestartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), "a", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := p.RestartAPIServer(t.Context()); err == nil {
		t.Error("a control plane that was stopped restarts")
	}
}

func testDeployment(t *testing.T, version string) {
	p := start(t, Options{Nodes: 1, Dir: t.TempDir(), Version: version})
	if p.Version() != version {
		t.Errorf("the server says it is %s, want %s", p.Version(), version)
	}
	client := clientFor(t, p.Config())
	deployments := client.AppsV1().Deployments("default")
	if _, err := deployments.Create(t.Context(), newDeployment("web", 2), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the deployment has two available replicas", func(ctx context.Context) (bool, error) {
		d, err := deployments.Get(ctx, "web", metav1.GetOptions{})
		return err == nil && d.Status.AvailableReplicas == 2, err
	})
	pods, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if pod.Spec.NodeName != "node-0" || pod.Spec.ServiceAccountName != "default" || len(pod.Spec.Volumes) == 0 {
			t.Errorf("pod %s: node %q, service account %q, %d volumes; want it scheduled, with the account's token mounted",
				pod.Name, pod.Spec.NodeName, pod.Spec.ServiceAccountName, len(pod.Spec.Volumes))
		}
	}
	wantPodIdentity(t, p, pods.Items[0].Name)

	if pids := p.dirs.pids(); len(pids) != 5 {
		t.Errorf("%d components are running, want 5", len(pids))
	}
	stop(t, p)
	wantNothingLeft(t, p.Dir())
	if info, err := os.Stat(filepath.Join(p.Dir(), "kwok.log")); err != nil || info.Size() == 0 {
		t.Errorf("the log of kwok has not been kept: %v", err)
	}
}

func wantPodIdentity(t *testing.T, p *ControlPlane, pod string) {
	t.Helper()
	c, err := p.PodConfig(t.Context(), "default", pod)
	if err != nil {
		t.Fatal(err)
	}
	user := whoAmI(t, c)
	if user.Username != "system:serviceaccount:default:default" || user.Extra["authentication.kubernetes.io/pod-name"][0] != pod {
		t.Errorf("a pod's token belongs to %+v, want the default service account and the name of pod %s", user, pod)
	}
}

func TestAServerAloneServesItsUsers(t *testing.T) {
	audit := filepath.Join(t.TempDir(), "audit.log")
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	rules := "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"
	if err := os.WriteFile(policy, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, Options{APIServerArgs: map[string][]string{"audit-policy-file": {policy}, "audit-log-path": {audit}}})
	client := clientFor(t, p.Config())

	t.Run("a service account's config holds its token and nothing else", func(t *testing.T) {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "robot"}}
		if _, err := client.CoreV1().ServiceAccounts("default").Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		c, err := p.ServiceAccountConfig(t.Context(), "default", "robot")
		if err != nil {
			t.Fatal(err)
		}
		if len(c.CertData)+len(c.KeyData) != 0 || c.BearerToken == "" {
			t.Errorf("the config has credentials besides the token, or no token")
		}
		if got := whoAmI(t, c).Username; got != "system:serviceaccount:default:robot" {
			t.Errorf("the token belongs to %s", got)
		}
	})
	t.Run("an unknown service account is an error that says so", func(t *testing.T) {
		_, err := p.ServiceAccountConfig(t.Context(), "default", "nobody")
		if err == nil || !strings.Contains(err.Error(), "default/nobody (it has to exist)") {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("a kubeconfig gives the same access", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "kubeconfig")
		if err := WriteKubeconfig(path, p.Config()); err != nil {
			t.Fatal(err)
		}
		c, err := clientcmd.BuildConfigFromFlags("", path)
		if err != nil {
			t.Fatal(err)
		}
		if got := whoAmI(t, c).Username; got != "admin" {
			t.Errorf("the kubeconfig belongs to %s", got)
		}
	})
	t.Run("every caller gets a config of its own", func(t *testing.T) {
		p.Config().Host = "elsewhere"
		if p.Config().Host == "elsewhere" {
			t.Error("a change to one config shows in the next")
		}
	})
	t.Run("validating admission policies are served", func(t *testing.T) {
		_, err := client.AdmissionregistrationV1().ValidatingAdmissionPolicies().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("flags reach the server", func(t *testing.T) {
		data, err := os.ReadFile(audit)
		if err != nil || !strings.Contains(string(data), "serviceaccounts/robot/token") {
			t.Errorf("the audit log does not show the token request: %v", err)
		}
	})

	dir := p.Dir()
	stop(t, p)
	wantNothingLeft(t, dir)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the temporary folder %s is still there: %v", dir, err)
	}
	stop(t, p) // again
}

func newDeployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: name, Image: "registry.example/" + name}}},
			},
		},
	}
}

func clientFor(t *testing.T, c *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func eventually(t *testing.T, what string, done wait.ConditionWithContextFunc) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 30*time.Second, true, done); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
