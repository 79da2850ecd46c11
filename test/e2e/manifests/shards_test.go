// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"slices"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func TestTheShardsComponentHasThreeReplicasThatAllWork(t *testing.T) {
	objects := build(t, "testdata/shards")
	deployment := manager(t, objects)
	args := deployment.Spec.Template.Spec.Containers[0].Args
	if *deployment.Spec.Replicas != 3 || !slices.Contains(args, "--shards") || slices.Contains(args, "--leader-elect") {
		t.Errorf("%d replicas have the arguments %q", *deployment.Spec.Replicas, args)
	}
	if result := restricted(t, deployment); !result.Allowed {
		t.Error(result.ForbiddenDetail())
	}
	budget := only[policyv1.PodDisruptionBudget](t, objects, "PodDisruptionBudget")
	selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
	if err != nil || !selector.Matches(labels.Set(deployment.Spec.Template.Labels)) || budget.Namespace != deployment.Namespace {
		t.Errorf("the budget in %s does not select the pods in %s (%v)", budget.Namespace, deployment.Namespace, err)
	}
	roles := all[rbacv1.Role](t, objects, "Role")
	i := slices.IndexFunc(roles, func(r *rbacv1.Role) bool { return r.Name == "flunder-controller-shards" })
	if i < 0 || roles[i].Namespace != deployment.Namespace || !slices.Contains(roles[i].Rules[0].APIGroups, coordinationv1.GroupName) {
		t.Errorf("the roles are %v", roles)
	}
	if fences := all[coordinationv1.Lease](t, objects, "Lease"); len(fences) > 0 {
		t.Errorf("the Lease %s is there already: the fence is for one leader", fences[0].Name)
	}
}
