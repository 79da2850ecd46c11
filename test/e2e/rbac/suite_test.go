// SPDX-License-Identifier: Apache-2.0

// Package rbac_test shows on a real API server that what controller/rbac records is what the server
// asks its authorizer, and that config/rbac is what the sample controller needs, and no more.
package rbac_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

const (
	root    = "../../.."
	system  = "lanyard-system"
	account = "flunder-controller"
)

var (
	// plane is the control plane of this package's tests, with an audit log. It asks for the permission
	// for finalizers that OpenShift asks for.
	plane    *controlplane.ControlPlane
	auditLog string
)

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Prepare: prepare, Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`

func prepare(_ context.Context, _, dir string) (controlplane.Options, error) {
	auditLog = filepath.Join(dir, "audit.log")
	policy := filepath.Join(dir, "policy.yaml")
	return controlplane.Options{APIServerArgs: map[string][]string{
		"audit-policy-file":        {policy},
		"audit-log-path":           {auditLog},
		"audit-log-maxsize":        {"10000"}, // no rotation
		"enable-admission-plugins": {"OwnerReferencesPermissionEnforcement"},
	}}, os.WriteFile(policy, []byte(auditPolicy), 0o600)
}

// env is a namespace for one test.
type env struct {
	*testing.T
	namespace string
	admin     kubernetes.Interface
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{T: t, admin: kubernetes.NewForConfigOrDie(plane.Config())}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "rbac-"}}
	created, err := e.admin.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{})
	e.must(err)
	e.namespace = created.Name
	return e
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// as returns the configuration of a service account.
func (e *env) as(namespace, name string) *rest.Config {
	e.Helper()
	config, err := plane.ServiceAccountConfig(e.Context(), namespace, name)
	e.must(err)
	return config
}

var accounts atomic.Int64

// newAccount makes a service account that may do nothing, and returns its name.
func (e *env) newAccount() string {
	e.Helper()
	name := fmt.Sprintf("account-%d", accounts.Add(1))
	_, err := e.admin.CoreV1().ServiceAccounts(e.namespace).Create(e.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	e.must(err)
	return name
}

// eventually waits for what the API server brings about in its own time.
func (e *env) eventually(what string, holds func() error) {
	e.Helper()
	var last error
	err := wait.PollUntilContextTimeout(e.Context(), 10*time.Millisecond, time.Minute, true,
		func(context.Context) (bool, error) { last = holds(); return last == nil, nil })
	if err != nil {
		e.Fatalf("not so within a minute: %s: %v", what, last)
	}
}
