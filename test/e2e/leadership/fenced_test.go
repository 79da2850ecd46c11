// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/e2e/internal/cluster"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kustomize"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/repo"
)

const fencedAccount = "flunder-controller"

// fenced installs config/fence for this namespace, and returns the credentials of a pod of the account that
// is fenced. It may do everything but for the fence.
func (e *env) fenced(pod string) *rest.Config {
	e.Helper()
	if e.election.Name != e.namespace+"-sample-controller" {
		e.installFence()
	}
	_, err := e.admin.CoreV1().Pods(e.namespace).Create(e.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: pod},
		Spec:       corev1.PodSpec{ServiceAccountName: fencedAccount, Containers: []corev1.Container{{Name: "manager", Image: "example.com/manager"}}},
	}, metav1.CreateOptions{})
	e.must(err)
	config, err := plane.PodConfig(e.Context(), e.namespace, pod)
	e.must(err)
	return config
}

func (e *env) installFence() {
	e.Helper()
	root, err := repo.Root()
	e.must(err)
	dir, err := filepath.EvalSymlinks(e.TempDir())
	e.must(err)
	fence, err := filepath.Rel(dir, filepath.Join(root, "config", "fence"))
	e.must(err)
	e.must(os.WriteFile(filepath.Join(dir, "kustomization.yaml"), fmt.Appendf(nil,
		"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: %[1]s\nnamePrefix: %[1]s-\ncomponents: [%[2]s]\n", e.namespace, fence), 0o600))
	objects, err := kustomize.Build(dir)
	e.must(err)
	e.must(cluster.Apply(e.Context(), plane.Config(), e.namespace, objects))
	e.election.Name = e.namespace + "-sample-controller"

	_, err = e.admin.CoreV1().ServiceAccounts(e.namespace).Create(e.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: fencedAccount}}, metav1.CreateOptions{})
	e.must(err)
	_, err = e.admin.RbacV1().ClusterRoleBindings().Create(e.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: e.namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: e.namespace, Name: fencedAccount}},
	}, metav1.CreateOptions{})
	e.must(err)
	e.awaitFence()
}

// awaitFence waits until the API server goes by both policies.
func (e *env) awaitFence() {
	e.Helper()
	dryRun := []string{metav1.DryRunAll}
	eventually(e, "the lease is guarded", func() error {
		err := e.admin.CoordinationV1().Leases(e.namespace).Delete(e.Context(), e.election.Name, metav1.DeleteOptions{DryRun: dryRun})
		if err == nil || !strings.Contains(err.Error(), "remove the fence first") {
			return fmt.Errorf("its deletion: %w", err)
		}
		return nil
	})
	config, err := plane.ServiceAccountConfig(e.Context(), e.namespace, fencedAccount)
	e.must(err)
	outsider := newClient(config)
	eventually(e, "the account is fenced", func() error {
		_, err := outsider.CoreV1().ConfigMaps(e.namespace).Create(e.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "tried"}}, metav1.CreateOptions{DryRun: dryRun})
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "fenced by lease") {
			return fmt.Errorf("a write: %w", err)
		}
		return nil
	})
}
