// SPDX-License-Identifier: Apache-2.0

// Package fence_test tests config/fence against a real API server, with writers that hold the controller's
// token and none of the framework's code.
package fence_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/cluster"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kustomize"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// plane is the control plane of this package's tests: one API server, with the CRD and the permissions
// of config/.
var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

// installation is a fence in the cluster: whom it fences, and by which Lease.
type installation struct{ dir, namespace, account, lease string }

var (
	sample  = installation{dir: "testdata/fenced", namespace: "lanyard-system", account: "flunder-controller", lease: "sample-controller"}
	another = installation{dir: "testdata/any", namespace: "shop-system", account: "shopkeeper", lease: "shop-leader"}
)

// env is an installed fence, with writers of every sort, all of whom may do everything but for the fence.
type env struct {
	*testing.T
	installation
	objects string // a namespace for what is written
	admin   *writer
	a, b    *writer // two pods of the account
	unbound *writer // the account, without a pod
	other   *writer // another account of the same namespace
}

// writer is plain client-go with somebody's credentials.
type writer struct {
	name   string
	config *rest.Config
	kube   kubernetes.Interface
	wardle versioned.Interface
}

func newWriter(name string, config *rest.Config) *writer {
	config.QPS = -1
	return &writer{name: name, config: config, kube: kubernetes.NewForConfigOrDie(config), wardle: versioned.NewForConfigOrDie(config)}
}

// newEnv installs a fence, or puts it right, with a Lease that nobody holds.
func newEnv(t *testing.T, in installation) *env {
	t.Helper()
	e := &env{T: t, installation: in, admin: newWriter("admin", plane.Config())}
	ns, err := e.admin.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	e.must(err)
	e.objects = ns.Name
	e.mayExist(e.admin.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.namespace}}, metav1.CreateOptions{}))
	e.apply()
	e.unbound, e.other = e.anAccount(e.account), e.anAccount("bystander")
	e.a, e.b = e.pod("a"), e.pod("b")
	e.whole()
	e.hold("")
	return e
}

// whole waits until the API server goes by the fence that has been applied.
func (e *env) whole() {
	e.Helper()
	e.eventually("the lease is guarded", func() error {
		err := e.admin.kube.CoordinationV1().Leases(e.namespace).Delete(e.Context(), e.lease, metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil || !strings.Contains(err.Error(), "remove the fence first") {
			return errors.Join(errors.New("it is not, or not yet"), err)
		}
		return nil
	})
}

// apply applies the fence. The API server warns of what it finds wrong, and that is an error.
func (e *env) apply() {
	e.Helper()
	objects, err := kustomize.Build(e.dir)
	e.must(err)
	e.must(cluster.Apply(e.Context(), plane.Config(), e.namespace, objects))
}

// anAccount is a service account with all permissions, and a token of it that is not bound to a pod.
func (e *env) anAccount(name string) *writer {
	e.Helper()
	e.mayExist(e.admin.kube.CoreV1().ServiceAccounts(e.namespace).Create(e.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}))
	e.mayExist(e.admin.kube.RbacV1().ClusterRoleBindings().Create(e.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "test-" + e.namespace + "-" + name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: e.namespace, Name: name}},
	}, metav1.CreateOptions{}))
	config, err := plane.ServiceAccountConfig(e.Context(), e.namespace, name)
	e.must(err)
	return newWriter(name+" without a pod", config)
}

// pod is a pod of the account, and the token that the kubelet would hand to it.
func (e *env) pod(name string) *writer {
	e.Helper()
	e.mayExist(e.admin.kube.CoreV1().Pods(e.namespace).Create(e.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			ServiceAccountName: e.account,
			SecurityContext:    &corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{Name: "manager", Image: "example.com/manager", SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: ptr.To(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			}}},
		},
	}, metav1.CreateOptions{}))
	config, err := plane.PodConfig(e.Context(), e.namespace, name)
	e.must(err)
	return newWriter(name, config)
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *env) mayExist(_ any, err error) {
	e.Helper()
	if !apierrors.IsAlreadyExists(err) {
		e.must(err)
	}
}

// hold has the Lease name a holder, as somebody with an editor would, and waits until the policy sees it.
func (e *env) hold(identity string) *coordinationv1.Lease {
	e.Helper()
	return e.put(e.admin, &identity)
}

func (e *env) put(by *writer, identity *string) *coordinationv1.Lease {
	e.Helper()
	lease, err := e.take(e.Context(), by, identity)
	e.must(err)
	e.awaitView(lease)
	return lease
}

// take writes a holder into the Lease without waiting for the policy to see it.
func (e *env) take(ctx context.Context, by *writer, identity *string) (*coordinationv1.Lease, error) {
	leases := by.kube.CoordinationV1().Leases(e.namespace)
	lease, err := leases.Get(ctx, e.lease, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	lease.Spec.HolderIdentity = identity
	now := metav1.NowMicro()
	lease.Spec.RenewTime = &now
	return leases.Update(ctx, lease, metav1.UpdateOptions{})
}

// awaitView waits until the policy goes by this version of the Lease: the refusal of the one whom it
// always refuses says which it goes by.
func (e *env) awaitView(lease *coordinationv1.Lease) {
	e.Helper()
	want := "resourceVersion=" + lease.ResourceVersion + "]"
	e.eventually("the policy sees "+want, func() error {
		err := e.try(e.unbound)
		if err == nil || !strings.Contains(err.Error(), want) {
			return errors.Join(errors.New("the answer is another"), err)
		}
		return nil
	})
}

// try is a write that changes nothing.
func (e *env) try(w *writer) error { return e.dryRun(e.Context(), w) }

func (e *env) dryRun(ctx context.Context, w *writer) error {
	_, err := w.kube.CoreV1().ConfigMaps(e.objects).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "tried"}},
		metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

// eventually waits for what the API server brings about in its own time.
func (e *env) eventually(what string, holds func() error) {
	e.Helper()
	last := errors.New("not tried")
	err := wait.PollUntilContextTimeout(e.Context(), 2*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		last = holds()
		return last == nil, nil
	})
	if err != nil {
		e.Fatalf("not so within a minute: %s: %v", what, last)
	}
}

var names atomic.Int64

// unique is a name that no object has.
func unique() string { return fmt.Sprintf("x-%d", names.Add(1)) }

// fenced tells a fence's refusal as docs/fence.md says.
func fenced(err error, in installation) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Reason != metav1.StatusReasonForbidden || status.Status().Details == nil {
		return false
	}
	for _, c := range status.Status().Details.Causes {
		if strings.Contains(c.Message, " denied request: fenced by lease "+in.namespace+"/"+in.lease+": ") {
			return true
		}
	}
	return false
}
