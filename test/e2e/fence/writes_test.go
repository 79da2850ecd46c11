// SPDX-License-Identifier: Apache-2.0

package fence_test

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
)

// write is one way to change something. What it works on is made by the admin first.
type write struct {
	name    string
	prepare func(ctx context.Context, e *env, name string) error
	do      func(ctx context.Context, e *env, w *writer, name string) error
}

// writes are those that the take-overs are measured with, and every other sort that the API has.
func writes() []write { return append(measured(), others()...) }

func measured() []write {
	return []write{
		{"create", nothing, func(ctx context.Context, e *env, w *writer, name string) error {
			_, err := w.kube.CoreV1().ConfigMaps(e.objects).Create(ctx, configMap(name), metav1.CreateOptions{})
			return err
		}},
		{"update", aConfigMap, func(ctx context.Context, e *env, w *writer, name string) error {
			// Without a resource version, and so without a precondition.
			_, err := w.kube.CoreV1().ConfigMaps(e.objects).Update(ctx, changed(name), metav1.UpdateOptions{})
			return err
		}},
		{"patch", aConfigMap, func(ctx context.Context, e *env, w *writer, name string) error {
			patch := []byte(`{"data":{"by":"` + unique() + `"}}`)
			_, err := w.kube.CoreV1().ConfigMaps(e.objects).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
			return err
		}},
		{"delete", aConfigMap, func(ctx context.Context, e *env, w *writer, name string) error {
			return w.kube.CoreV1().ConfigMaps(e.objects).Delete(ctx, name, metav1.DeleteOptions{})
		}},
		{"status", aFlunder, func(ctx context.Context, e *env, w *writer, name string) error {
			patch := []byte(`{"status":{"conditions":[{"type":"Ready","status":"False","reason":"Test","message":"` + unique() + `","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`)
			_, err := w.wardle.WardleV1beta1().Flunders(e.objects).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
			return err
		}},
	}
}

func others() []write {
	return append([]write{
		{"apply", nothing, func(ctx context.Context, e *env, w *writer, name string) error {
			_, err := w.kube.CoreV1().ConfigMaps(e.objects).Apply(ctx, applycorev1.ConfigMap(name, e.objects), metav1.ApplyOptions{FieldManager: "test", Force: true})
			return err
		}},
		{"apply to what exists", aConfigMap, func(ctx context.Context, e *env, w *writer, name string) error {
			config := applycorev1.ConfigMap(name, e.objects).WithData(map[string]string{"by": unique()})
			_, err := w.kube.CoreV1().ConfigMaps(e.objects).Apply(ctx, config, metav1.ApplyOptions{FieldManager: "test", Force: true})
			return err
		}},
		{"json patch", aConfigMap, func(ctx context.Context, e *env, w *writer, name string) error {
			patch := []byte(`[{"op":"add","path":"/data","value":{"by":"` + unique() + `"}}]`)
			_, err := w.kube.CoreV1().ConfigMaps(e.objects).Patch(ctx, name, types.JSONPatchType, patch, metav1.PatchOptions{})
			return err
		}},
		{"deletecollection", aConfigMap, func(ctx context.Context, e *env, w *writer, name string) error {
			return w.kube.CoreV1().ConfigMaps(e.objects).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "name=" + name})
		}},
		{"create a custom resource", nothing, func(ctx context.Context, e *env, w *writer, name string) error {
			_, err := w.wardle.WardleV1beta1().Flunders(e.objects).Create(ctx, flunder(name), metav1.CreateOptions{})
			return err
		}},
		{"scale", aFlunder, func(ctx context.Context, e *env, w *writer, name string) error {
			// A typed client would make a Flunder of the Scale that is answered.
			return w.wardle.WardleV1beta1().RESTClient().Patch(types.MergePatchType).Namespace(e.objects).Resource("flunders").Name(name).
				SubResource("scale").Body([]byte(`{"spec":{"replicas":2}}`)).Do(ctx).Error()
		}},
		{"create of a cluster-scoped object", nothing, func(ctx context.Context, _ *env, w *writer, name string) error {
			_, err := w.kube.RbacV1().ClusterRoles().Create(ctx, clusterRole(name), metav1.CreateOptions{})
			return err
		}},
		{"delete of a cluster-scoped object", aClusterRole, func(ctx context.Context, _ *env, w *writer, name string) error {
			return w.kube.RbacV1().ClusterRoles().Delete(ctx, name, metav1.DeleteOptions{})
		}},
	}, odd()...)
}

// odd are writes that are easily forgotten: subresources that take a CREATE or a CONNECT, dry runs, and
// objects that look like the Lease.
func odd() []write {
	return append([]write{
		{"token", nothing, func(ctx context.Context, e *env, w *writer, _ string) error {
			_, err := w.kube.CoreV1().ServiceAccounts(e.namespace).CreateToken(ctx, e.account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
			return err
		}},
		{"eviction", nothing, func(ctx context.Context, e *env, w *writer, _ string) error {
			return w.kube.PolicyV1().Evictions(e.namespace).Evict(ctx, &policyv1.Eviction{
				ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "a"}, DeleteOptions: &metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}},
			})
		}},
		{"dry run", nothing, func(ctx context.Context, e *env, w *writer, _ string) error { return e.dryRun(ctx, w) }},
		{"another lease of the namespace", nothing, func(ctx context.Context, e *env, w *writer, name string) error {
			_, err := w.kube.CoordinationV1().Leases(e.namespace).Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
			return err
		}},
		{"a lease of that name elsewhere", nothing, func(ctx context.Context, e *env, w *writer, _ string) error {
			lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: e.lease}}
			_, err := w.kube.CoordinationV1().Leases(e.objects).Create(ctx, lease, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			return err
		}},
		{"delete of an event", anEvent, func(ctx context.Context, e *env, w *writer, name string) error {
			return w.kube.CoreV1().Events(e.objects).Delete(ctx, name, metav1.DeleteOptions{})
		}},
	}, connects()...)
}

// connects are what reaches through the API server, which for a client is a GET as often as not.
func connects() (all []write) {
	for _, subresource := range []string{"exec", "attach", "portforward", "proxy"} {
		for _, method := range []string{"GET", "POST"} {
			all = append(all, write{method + " of " + subresource, nothing, func(ctx context.Context, e *env, w *writer, _ string) error {
				err := w.kube.CoreV1().RESTClient().Verb(method).Namespace(e.namespace).Resource("pods").Name("a").SubResource(subresource).
					Param("command", "true").Param("stdout", "true").Param("ports", "80").Do(ctx).Error()
				if err != nil && !apierrors.IsForbidden(err) { // it was admitted, and there is no node to go to
					return nil
				}
				return err
			}})
		}
	}
	return all
}

// exempt are what stand-bys may do too.
func exempt() []write {
	return append([]write{
		{"event", nothing, func(ctx context.Context, e *env, w *writer, name string) error {
			_, err := w.kube.CoreV1().Events(e.objects).Create(ctx, event(e, name), metav1.CreateOptions{})
			return err
		}},
		{"patch of an event", anEvent, func(ctx context.Context, e *env, w *writer, name string) error {
			_, err := w.kube.CoreV1().Events(e.objects).Patch(ctx, name, types.MergePatchType, []byte(`{"count":2}`), metav1.PatchOptions{})
			return err
		}},
		{"event of the newer API", nothing, func(ctx context.Context, e *env, w *writer, name string) error {
			_, err := w.kube.EventsV1().Events(e.objects).Create(ctx, &eventsv1.Event{
				ObjectMeta: metav1.ObjectMeta{Name: name}, EventTime: metav1.NowMicro(), Type: corev1.EventTypeNormal, Reason: "Test", Action: "Test",
				ReportingController: "example.com/test", ReportingInstance: "test", Regarding: corev1.ObjectReference{Kind: "ConfigMap", Namespace: e.objects, Name: "none"},
			}, metav1.CreateOptions{})
			return err
		}},
	}, reviews()...)
}

func nothing(context.Context, *env, string) error { return nil }

func aConfigMap(ctx context.Context, e *env, name string) error {
	_, err := e.admin.kube.CoreV1().ConfigMaps(e.objects).Create(ctx, configMap(name), metav1.CreateOptions{})
	return err
}

func aFlunder(ctx context.Context, e *env, name string) error {
	_, err := e.admin.wardle.WardleV1beta1().Flunders(e.objects).Create(ctx, flunder(name), metav1.CreateOptions{})
	return err
}

func aClusterRole(ctx context.Context, e *env, name string) error {
	_, err := e.admin.kube.RbacV1().ClusterRoles().Create(ctx, clusterRole(name), metav1.CreateOptions{})
	return err
}

func anEvent(ctx context.Context, e *env, name string) error {
	_, err := e.admin.kube.CoreV1().Events(e.objects).Create(ctx, event(e, name), metav1.CreateOptions{})
	return err
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"name": name}}}
}

func changed(name string) *corev1.ConfigMap {
	cm := configMap(name)
	cm.Data = map[string]string{"by": unique()}
	return cm
}

func flunder(name string) *v1beta1.Flunder {
	return &v1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1beta1.FlunderSpec{Image: "registry.example.com/app:v1"}}
}

func clusterRole(name string) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func event(e *env, name string) *corev1.Event {
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Reason: "Test", Message: "a test",
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: e.objects, Name: "none"},
	}
}
