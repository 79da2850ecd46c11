// SPDX-License-Identifier: Apache-2.0

package dryrun_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
)

func podSpec() corev1.PodSpec {
	return corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/app:v1"}}}
}

// fixtures are the objects that writeAll writes.
func (e *env) fixtures() {
	e.Helper()
	ctx, core := e.Context(), e.admin.CoreV1()
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "x"}}
	}
	for _, name := range []string{"updated", "patched", "applied"} {
		_, err := core.ConfigMaps(e.namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: meta(name), Data: map[string]string{"a": "1"}}, metav1.CreateOptions{})
		e.must(err)
	}
	_, err := core.Secrets(e.namespace).Create(ctx, &corev1.Secret{ObjectMeta: meta("secret"), StringData: map[string]string{"password": "hunter2"}}, metav1.CreateOptions{})
	e.must(err)
	for _, name := range []string{"evicted", "deleted"} {
		_, err := core.Pods(e.namespace).Create(ctx, &corev1.Pod{ObjectMeta: meta(name), Spec: podSpec()}, metav1.CreateOptions{})
		e.must(err)
	}
	_, err = e.admin.AppsV1().Deployments(e.namespace).Create(ctx, &appsv1.Deployment{ObjectMeta: meta("d"), Spec: appsv1.DeploymentSpec{
		Replicas: ptr.To[int32](1), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "x"}},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "x"}}, Spec: podSpec()},
	}}, metav1.CreateOptions{})
	e.must(err)
	e.parent("parent")
}

// writeAll writes in every way, and in one that changes nothing.
func writeAll(ctx context.Context, kube kubernetes.Interface, parent *corev1.ConfigMap) error {
	ns := parent.Namespace
	maps, pods, deployments := kube.CoreV1().ConfigMaps(ns), kube.CoreV1().Pods(ns), kube.AppsV1().Deployments(ns)
	var errs []error
	note := func(_ any, err error) { errs = append(errs, err) }
	note(maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "new"}, Data: map[string]string{"a": "1"}}, metav1.CreateOptions{}))
	for range 2 {
		note(maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "made-"}}, metav1.CreateOptions{}))
	}
	updated, err := maps.Get(ctx, "updated", metav1.GetOptions{})
	if err != nil {
		return err
	}
	note(maps.Update(ctx, updated.DeepCopy(), metav1.UpdateOptions{})) // as it is
	updated.Data = map[string]string{"a": "2"}
	note(maps.Update(ctx, updated, metav1.UpdateOptions{}))
	note(maps.Patch(ctx, "patched", types.MergePatchType, []byte(`{"data":{"b":"2"}}`), metav1.PatchOptions{}))
	note(maps.Apply(ctx, coreac.ConfigMap("applied", ns).WithData(map[string]string{"a": "3"}), metav1.ApplyOptions{FieldManager: "m", Force: true}))
	note(maps.Apply(ctx, coreac.ConfigMap("applied-new", ns), metav1.ApplyOptions{FieldManager: "m"}))
	note(kube.CoreV1().Secrets(ns).Patch(ctx, "secret", types.MergePatchType, []byte(`{"stringData":{"password":"hunter3","x":"y"}}`), metav1.PatchOptions{}))
	note(kube.CoreV1().Secrets(ns).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "secret-new"}, StringData: map[string]string{"password": "hunter4"}}, metav1.CreateOptions{}))
	d, err := deployments.Get(ctx, "d", metav1.GetOptions{})
	if err != nil {
		return err
	}
	d.Status.ObservedGeneration = 17
	note(deployments.UpdateStatus(ctx, d, metav1.UpdateOptions{}))
	note(deployments.UpdateScale(ctx, "d", &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: "d", Namespace: ns}, Spec: autoscalingv1.ScaleSpec{Replicas: 5},
	}, metav1.UpdateOptions{}))
	note(nil, pods.EvictV1(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "evicted", Namespace: ns}}))
	note(nil, pods.Delete(ctx, "deleted", metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0), PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)}))
	note(nil, maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=x"}))
	return errors.Join(errs...)
}

const wantAll = `
create configmaps NS/new (by parent NS/parent)
    + data.a: "1"
create configmaps NS/made-<random> (by parent NS/parent, 2 times)
update configmaps NS/updated (by parent NS/parent)
    ~ data.a: "1" -> "2"
update configmaps NS/patched (by parent NS/parent)
    + data.b: "2"
update configmaps NS/applied (by parent NS/parent)
    ~ data.a: "1" -> "3"
create configmaps NS/applied-new (by parent NS/parent)
update secrets NS/secret (by parent NS/parent)
    ~ data.password: (hidden)
    ~ data.x: (hidden)
create secrets NS/secret-new (by parent NS/parent)
    ~ data.password: (hidden)
    + type: "Opaque"
update deployments.apps/status NS/d (by parent NS/parent)
    + status.observedGeneration: 17
update deployments.apps/scale NS/d (by parent NS/parent)
    ~ spec.replicas: 1 -> 5
create pods/eviction NS/evicted (by parent NS/parent)
delete pods NS/deleted (by parent NS/parent)
delete configmaps NS/applied (by parent NS/parent)
delete configmaps NS/patched (by parent NS/parent)
delete configmaps NS/updated (by parent NS/parent)
plan of 1 reconcile: 6 to create, 6 to update, 4 to delete
`

// TestC33NothingChangesWhateverIsWrittenInWhateverEncoding.
func TestC33NothingChangesWhateverIsWrittenInWhateverEncoding(t *testing.T) {
	for _, content := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf, runtime.ContentTypeCBOR} {
		t.Run(content, func(t *testing.T) {
			e := newEnv(t)
			e.fixtures()
			made := e.plan(controller.ManagerOptions{}, content, func(ctx context.Context, kube kubernetes.Interface, _ *controller.Manager, parent *corev1.ConfigMap) error {
				return writeAll(ctx, kube, parent)
			})
			e.wantText(made, wantAll)
			if want := map[string]bool{"": true, content: true}; !maps.Equal(e.seen, want) {
				t.Errorf("the encodings are %v", e.seen)
			}
			e.wantWrites("create configmaps", "create pods/eviction", "create secrets", "delete pods", "deletecollection configmaps",
				"patch configmaps", "patch secrets", "update configmaps", "update deployments/scale", "update deployments/status")
			for _, change := range made.Changes {
				for _, field := range change.Fields {
					if change.Object.Resource == "secrets" && (field.Old != nil || field.New != nil) && field.Path != "type" {
						t.Errorf("the plan has what is in a Secret: %+v", field)
					}
				}
			}
			if strings.Contains(made.String(), "hunter") {
				t.Errorf("the text has what is in a Secret:\n%s", made)
			}
		})
	}
}

// TestC33EachRoundSeesTheSame.
func TestC33EachRoundSeesTheSame(t *testing.T) {
	e := newEnv(t)
	e.parent("parent")
	made := e.plan(controller.ManagerOptions{DryRun: &controller.DryRun{Rounds: 3}}, runtime.ContentTypeJSON,
		func(ctx context.Context, kube kubernetes.Interface, _ *controller.Manager, parent *corev1.ConfigMap) error {
			owner := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap"}
			first, err := kube.CoreV1().ConfigMaps(parent.Namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "new"}}, metav1.CreateOptions{})
			if err != nil {
				return err
			}
			owner.Name, owner.UID = first.Name, first.UID
			_, err = kube.CoreV1().ConfigMaps(parent.Namespace).Create(ctx, &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Name: "child", OwnerReferences: []metav1.OwnerReference{owner}},
			}, metav1.CreateOptions{})
			return err
		})
	e.wantText(made, `
create configmaps NS/new (by parent NS/parent, 3 times)
create configmaps NS/child (by parent NS/parent, 3 times)
    + metadata.ownerReferences[name=new].apiVersion: "v1"
    + metadata.ownerReferences[name=new].kind: "ConfigMap"
    + metadata.ownerReferences[name=new].name: "new"
    + metadata.ownerReferences[name=new].uid: "<the UID of the new configmaps NS/new>"
plan of 3 reconciles: 6 to create
`)
}
