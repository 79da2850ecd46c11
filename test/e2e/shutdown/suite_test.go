// SPDX-License-Identifier: Apache-2.0

package shutdown_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// errDrained is the cause that the tests end managers with.
var errDrained = errors.New("the node is drained")

// unlimited lets calls be outstanding for as long as a slow machine takes to get there.
var unlimited = controller.ManagerOptions{CallTimeouts: controller.CallTimeouts{Read: -1, Write: -1}}

// plane is the control plane of this package's tests, with an audit log.
var (
	plane    *controlplane.ControlPlane
	auditLog string
)

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Prepare: withAuditLog, Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

func withAuditLog(_ context.Context, _, dir string) (controlplane.Options, error) {
	auditLog = filepath.Join(dir, "audit.log")
	policy := filepath.Join(dir, "policy.yaml")
	return controlplane.Options{APIServerArgs: map[string][]string{
		"audit-policy-file": {policy},
		"audit-log-path":    {auditLog},
	}}, os.WriteFile(policy, []byte(auditPolicy), 0o600)
}

// env is a namespace with objects, and a proxy for a user of its own.
type env struct {
	testing.TB
	namespace string
	user      string
	proxy     *shutdowntest.Proxy
	admin     kubernetes.Interface
}

var users atomic.Int64

// newEnv makes a namespace with n ConfigMaps, once for each n, and a user who may do everything.
func newEnv(t testing.TB, n int) *env {
	t.Helper()
	e := &env{TB: t, namespace: fmt.Sprintf("maps-%d", n), admin: kubernetes.NewForConfigOrDie(plane.Config())}
	if err := e.fill(n); err != nil {
		t.Fatal(err)
	}
	account := fmt.Sprintf("user-%d", users.Add(1))
	e.user = fmt.Sprintf("system:serviceaccount:%s:%s", e.namespace, account)
	if err := e.addUser(account); err != nil {
		t.Fatal(err)
	}
	config, err := plane.ServiceAccountConfig(t.Context(), e.namespace, account)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	e.proxy = shutdowntest.NewProxy(t, config)
	return e
}

func (e *env) fill(n int) error {
	_, err := e.admin.CoreV1().Namespaces().Create(e.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.namespace}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(16)
	for i := range n {
		g.Go(func() error {
			_, err := e.admin.CoreV1().ConfigMaps(e.namespace).Create(e.Context(), &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("cm-%03d", i)}, Data: map[string]string{"text": "of some length"},
			}, metav1.CreateOptions{})
			return err
		})
	}
	return g.Wait()
}

func (e *env) addUser(account string) error {
	_, err := e.admin.CoreV1().ServiceAccounts(e.namespace).Create(e.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = e.admin.RbacV1().ClusterRoleBindings().Create(e.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: e.namespace + "-" + account},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: e.namespace, Name: account}},
	}, metav1.CreateOptions{})
	return err
}

// informer is one for the namespace's ConfigMaps.
func (e *env) informer(client kubernetes.Interface) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
	return controller.Standalone[*corev1.ConfigMap](
		coreinformers.NewConfigMapInformer(client, e.namespace, 0, cache.Indexers{}), controller.InformerOptions{})
}

// quiet has nothing logged.
func quiet(ctx context.Context) context.Context { return klog.NewContext(ctx, logr.Discard()) }

// eventually waits for what comes about in its own time.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so within a minute: %s", what)
		}
	}
}
