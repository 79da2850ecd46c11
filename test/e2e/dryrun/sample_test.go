// SPDX-License-Identifier: Apache-2.0

package dryrun_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/gobuild"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// binary is the sample controller, with the race detector if the test has it.
var binary string

func build(ctx context.Context, root, dir string) error {
	binary = filepath.Join(dir, "flunder-controller")
	return gobuild.Program(ctx, root, "sample-controller", ".", binary, gobuild.Race()...)
}

// The account of the sample controller has the permissions of config/rbac. It may not get what it writes.
const system, account = "lanyard-system", "flunder-controller"

// sample runs the sample controller with -plan, and returns its exit code and what it prints.
func (e *env) sample(config *rest.Config, args ...string) (code int, plan string) {
	e.Helper()
	kubeconfig := filepath.Join(e.TempDir(), "kubeconfig")
	e.must(controlplane.WriteKubeconfig(kubeconfig, config))
	cmd := exec.CommandContext(e.Context(), binary, append([]string{"-plan", "-kubeconfig=" + kubeconfig, "-namespace=" + e.namespace}, args...)...)
	cmd.Env = []string{"HOME=" + e.TempDir(), "GORACE=atexit_sleep_ms=0"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout = &stdout
	cmd.Stderr = &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		e.Fatal(err)
	}
	if e.Cleanup(func() {
		if e.Failed() {
			e.Logf("the sample wrote:\n%s", &stderr)
		}
	}); strings.Contains(stderr.String(), "DATA RACE") {
		e.Error("a data race")
	}
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(stdout.String(), e.namespace, "NS")
}

func (e *env) serviceAccount() *rest.Config {
	e.Helper()
	config, err := plane.ServiceAccountConfig(e.Context(), system, account)
	e.must(err)
	return config
}

func (e *env) flunder(name string) {
	e.Helper()
	_, err := versioned.NewForConfigOrDie(plane.Config()).WardleV1beta1().Flunders(e.namespace).Create(e.Context(),
		&v1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1beta1.FlunderSpec{Image: "registry.example.com/app:v1"}}, metav1.CreateOptions{})
	e.must(err)
}

// converge lets the sample controller do its work, and rolls out its Deployment.
func (e *env) converge(name string) {
	e.Helper()
	m := controller.NewManager(plane.Config(), controller.ManagerOptions{})
	_, err := flunder.Setup(m, flunder.Options{Namespace: e.namespace})
	e.must(err)
	_, stop := suite.Start(e.T, m)
	deployments := e.admin.AppsV1().Deployments(e.namespace)
	suite.Eventually(e.T, "it is available", func() error {
		d, err := deployments.Get(e.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1}
		if _, err := deployments.UpdateStatus(e.Context(), d, metav1.UpdateOptions{}); err != nil {
			return err
		}
		f, err := versioned.NewForConfigOrDie(plane.Config()).WardleV1beta1().Flunders(e.namespace).Get(e.Context(), name, metav1.GetOptions{})
		if err == nil && !meta.IsStatusConditionTrue(f.Status.Conditions, v1beta1.ConditionReady) {
			err = fmt.Errorf("%+v", f.Status)
		}
		return err
	})
	e.must(stop())
}

// TestC33TheSamplePrintsWhatItWouldDo, as its own account, and exits by that.
func TestC33TheSamplePrintsWhatItWouldDo(t *testing.T) {
	e := newEnv(t)
	config := e.serviceAccount()
	run := func(args ...string) (code int, plan string) {
		e.assertUnchanged(func() { code, plan = e.sample(config, args...) })
		return code, plan
	}
	e.agent = flunder.FieldManager

	if code, plan := run(); code != 0 || plan != "not run in a dry run: the runnable health\nplan of 0 reconciles: nothing would change\n" {
		t.Errorf("without Flunders it exits with %d and prints\n%s", code, plan)
	}
	e.flunder("web")
	code, plan := run("-leader-elect", "-leader-elect-namespace="+e.namespace, "-leader-elect-identity=me")
	for _, part := range []string{
		"create deployments.apps NS/web (by flunder NS/web)\n", `+ spec.template.spec.containers[name=flunder].image: "registry.example.com/app:v1"`,
		"update flunders.wardle.example.com/status NS/web (by flunder NS/web)\n", `+ status.conditions[type=Ready].reason: "RollingOut"`,
		"plan of 1 reconcile: 1 to create, 1 to update\n",
	} {
		if !strings.Contains(plan, part) {
			t.Errorf("no %q", part)
		}
	}
	if code != 2 || t.Failed() {
		t.Errorf("with a Flunder it exits with %d and prints\n%s", code, plan)
	}
	if _, err := e.admin.CoordinationV1().Leases(e.namespace).Get(e.Context(), "sample-controller", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a Lease was taken: %v", err)
	}
	e.wantWrites("create events", "patch deployments", "patch flunders/status")

	e.agent = "nobody" // the sample works now, which is no dry run
	e.converge("web")
	if code, plan := run(); code != 0 || !strings.HasSuffix(plan, "plan of 1 reconcile: nothing would change\n") {
		t.Errorf("when all is done it exits with %d and prints\n%s", code, plan)
	}
	nobody := rest.AnonymousClientConfig(config)
	if code, plan := e.sample(nobody, "-sync-timeout=1s"); code != 1 || plan != "" {
		t.Errorf("without permissions it exits with %d and prints\n%s", code, plan)
	}
}
