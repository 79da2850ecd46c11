// SPDX-License-Identifier: Apache-2.0

// Package sample_test runs the sample controller as users do, as a process of its own, against a real
// API server.
package sample_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/gobuild"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

var (
	// plane is the control plane of this package's tests, with the CRD and the permissions of config/.
	plane *controlplane.ControlPlane
	// binary is the sample controller, with the race detector if the test has it.
	binary string
)

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Prepare: withBinary, Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

func withBinary(ctx context.Context, root, dir string) (controlplane.Options, error) {
	binary = filepath.Join(dir, "flunder-controller")
	return controlplane.Options{}, build(ctx, root, binary)
}

func build(ctx context.Context, root, output string) error {
	return gobuild.Program(ctx, root, "sample-controller", ".", output, gobuild.Race()...)
}

// env is a namespace for one test.
type env struct {
	*testing.T
	namespace string
	wardle    versioned.Interface
}

func newEnv(t *testing.T) *env {
	t.Helper()
	ns, err := kubernetes.NewForConfigOrDie(plane.Config()).CoreV1().Namespaces().
		Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &env{T: t, namespace: ns.Name, wardle: versioned.NewForConfigOrDie(plane.Config())}
}

func (e *env) create(name string) {
	e.Helper()
	f := &v1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1beta1.FlunderSpec{Image: "registry.example.com/app:v1"}}
	if _, err := e.wardle.WardleV1beta1().Flunders(e.namespace).Create(e.Context(), f, metav1.CreateOptions{}); err != nil {
		e.Fatal(err)
	}
}

// awaitRollingOut waits until the Flunder's Ready condition has that reason: as nothing rolls out here, it is
// as far as one gets.
func (e *env) awaitRollingOut(name string) {
	e.Helper()
	var last any
	err := wait.PollUntilContextTimeout(e.Context(), 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		f, err := e.wardle.WardleV1beta1().Flunders(e.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		condition := meta.FindStatusCondition(f.Status.Conditions, v1beta1.ConditionReady)
		last = condition
		return condition != nil && condition.Reason == v1beta1.ReasonRollingOut, nil
	})
	if err != nil {
		e.Fatalf("%s is not rolling out but %+v: %v", name, last, err)
	}
}

// system is the namespace of the controller's account and of its lease.
const system = "lanyard-system"

// account is the controller's service account, with the permissions of config/rbac and no others.
func account(t *testing.T) *rest.Config {
	t.Helper()
	config, err := plane.ServiceAccountConfig(t.Context(), system, "flunder-controller")
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func kubeconfig(t *testing.T, config *rest.Config) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := controlplane.WriteKubeconfig(path, config); err != nil {
		t.Fatal(err)
	}
	return path
}
