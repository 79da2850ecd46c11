// SPDX-License-Identifier: Apache-2.0

package dryrun_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/cluster"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kustomize"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

func createsOne(ctx context.Context, kube kubernetes.Interface, _ *controller.Manager, parent *corev1.ConfigMap) error {
	_, err := kube.CoreV1().ConfigMaps(parent.Namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "new"}}, metav1.CreateOptions{})
	return err
}

const wantOne = `
create configmaps NS/new (by parent NS/parent)
plan of 1 reconcile: 1 to create
`

// TestC33NoLeaseIsTakenNorWaitedFor, also while another process holds it.
func TestC33NoLeaseIsTakenNorWaitedFor(t *testing.T) {
	e := newEnv(t)
	e.parent("parent")
	options := controller.ManagerOptions{LeaderElection: &controller.LeaderElection{Namespace: e.namespace, Name: "lease", Identity: "me"}}
	e.wantText(e.plan(options, runtime.ContentTypeJSON, createsOne), wantOne)
	for _, a := range e.audit() {
		if a.Object.Resource == "leases" {
			t.Errorf("%s %s", a.Verb, a.URI)
		}
	}
}

// TestC33TheServersFenceIsForDryRunsToo: the account that it fences plans nothing, and others do.
func TestC33TheServersFenceIsForDryRunsToo(t *testing.T) {
	e := newEnv(t)
	e.parent("parent")
	fenced := e.serviceAccount()
	fenced.UserAgent = e.agent
	e.grant(system, account, rbacv1.PolicyRule{
		APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list", "watch", "get", "create"},
	})
	e.fence()
	var made string
	e.assertUnchanged(func() {
		m := e.manager(fenced, controller.ManagerOptions{}, runtime.ContentTypeJSON, createsOne)
		p, err := m.Plan(e.Context())
		e.must(err)
		if made = e.text(p); !p.Unchanged() || len(p.Failures) != 1 || !strings.Contains(made, "fenced by lease") {
			t.Errorf("%s", made)
		}
	})
	e.wantText(e.plan(controller.ManagerOptions{}, runtime.ContentTypeJSON, createsOne), wantOne)
}

// fence installs config/fence until the test ends.
func (e *env) fence() {
	e.Helper()
	objects, err := kustomize.Build("../fence/testdata/fenced")
	e.must(err)
	e.must(cluster.Apply(e.Context(), plane.Config(), system, objects))
	config := e.serviceAccount()
	try := func() error {
		_, err := kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps(e.namespace).Create(context.WithoutCancel(e.Context()),
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "tried"}}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	suite.Eventually(e.T, "the fence is there", func() error {
		if err := try(); err == nil || !strings.Contains(err.Error(), "fenced by lease") {
			return fmt.Errorf("the error is %w", err)
		}
		return nil
	})
	e.Cleanup(func() {
		ctx := context.WithoutCancel(e.Context()) // the test's has ended
		policies := e.admin.AdmissionregistrationV1()
		everything := metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=flunder-controller"}
		e.must(errors.Join(
			policies.ValidatingAdmissionPolicyBindings().DeleteCollection(ctx, metav1.DeleteOptions{}, everything),
			policies.ValidatingAdmissionPolicies().DeleteCollection(ctx, metav1.DeleteOptions{}, everything),
		))
		for try() != nil { // the API server notices it in its own time
			if e.Failed() {
				return
			}
		}
	})
}

// TestC33WhatIsServedLaterIsPlannedIfItIsServed, and what is not served keeps nobody waiting.
func TestC33WhatIsServedLaterIsPlannedIfItIsServed(t *testing.T) {
	e := newEnv(t)
	e.parent("parent")
	served := 0
	e.assertUnchanged(func() {
		m := e.manager(e.config(), controller.ManagerOptions{}, runtime.ContentTypeJSON, createsOne)
		m.WhileServed(schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "gadgets"}, func() []controller.Stopper {
			t.Error("gadgets are not served")
			return nil
		})
		m.WhileServed(corev1.SchemeGroupVersion.WithResource("configmaps"), func() []controller.Stopper {
			served++
			return e.another(m)
		})
		made, err := m.Plan(e.Context())
		e.must(err)
		e.wantText(made, `
create configmaps NS/newer (by another NS/parent)
create configmaps NS/new (by parent NS/parent)
plan of 2 reconciles: 2 to create
`)
	})
	if served != 1 {
		t.Errorf("it was started %d times", served)
	}
	e.assertDry()
}

// another is a controller of the parents of its own informer.
func (e *env) another(m *controller.Manager) []controller.Stopper {
	kube := kubernetes.NewForConfigOrDie(m.Config())
	parents := controller.Standalone[*corev1.ConfigMap](coreinformers.NewFilteredConfigMapInformer(kube, e.namespace, 0, nil,
		func(o *metav1.ListOptions) { o.LabelSelector = "parent" }), controller.InformerOptions{})
	return []controller.Stopper{controller.New(m, "another", parents,
		func(ctx context.Context, parent *corev1.ConfigMap) (controller.Result, error) {
			_, err := kube.CoreV1().ConfigMaps(parent.Namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "newer"}}, metav1.CreateOptions{})
			return controller.Result{}, err
		}, controller.Options{})}
}

// TestC33AnAccountThatMayNotReadWhatItWritesIsTold, and one that may only list it needs no more.
func TestC33AnAccountThatMayNotReadWhatItWritesIsTold(t *testing.T) {
	for verbs, want := range map[string]string{
		"list,watch": `
update deployments.apps NS/d (by parent NS/parent)
    ~ spec.replicas: 1 -> 3
plan of 1 reconcile: 1 to update
`,
		"": `
update deployments.apps NS/d (by parent NS/parent)
    the fields are not known
plan of 1 reconcile: 1 to update
`,
	} {
		e := newEnv(t)
		e.fixtures()
		config := e.restricted(strings.FieldsFunc(verbs, func(r rune) bool { return r == ',' }))
		e.assertUnchanged(func() {
			made, err := e.manager(config, controller.ManagerOptions{}, runtime.ContentTypeProtobuf,
				func(ctx context.Context, kube kubernetes.Interface, _ *controller.Manager, parent *corev1.ConfigMap) error {
					_, err := kube.AppsV1().Deployments(parent.Namespace).Patch(ctx, "d", types.MergePatchType, []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{})
					return err
				}).Plan(e.Context())
			e.must(err)
			e.wantText(made, want)
		})
	}
}

// restricted is an account that may patch Deployments, and besides that has the given verbs for them.
func (e *env) restricted(verbs []string) *rest.Config {
	e.Helper()
	ctx := e.Context()
	_, err := e.admin.CoreV1().ServiceAccounts(e.namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "restricted"}}, metav1.CreateOptions{})
	e.must(err)
	e.grant(e.namespace, "restricted",
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list", "watch"}},
		rbacv1.PolicyRule{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: append([]string{"patch"}, verbs...)})
	config, err := plane.ServiceAccountConfig(ctx, e.namespace, "restricted")
	e.must(err)
	config.UserAgent = e.agent
	return config
}

// grant gives an account rules in the test's namespace.
func (e *env) grant(namespace, name string, rules ...rbacv1.PolicyRule) {
	e.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
	_, err := e.admin.RbacV1().Roles(e.namespace).Create(e.Context(), role, metav1.CreateOptions{})
	e.must(err)
	_, err = e.admin.RbacV1().RoleBindings(e.namespace).Create(e.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: name}},
	}, metav1.CreateOptions{})
	e.must(err)
}
