// SPDX-License-Identifier: Apache-2.0

package dryrun_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/plan"
)

// TestC33WhatFollowsFromAWriteThatWasNotMadeIsAStopAndNoFailure, and what does not is a failure.
func TestC33WhatFollowsFromAWriteThatWasNotMadeIsAStopAndNoFailure(t *testing.T) {
	e := newEnv(t)
	for _, name := range []string{"gets", "patches", "recreates", "inside", "cached", "wraps", "fails", "goes-on"} {
		e.parent(name)
	}
	_, err := e.admin.CoreV1().ConfigMaps(e.namespace).Create(e.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "old"}}, metav1.CreateOptions{})
	e.must(err)
	made := e.plan(controller.ManagerOptions{}, runtime.ContentTypeProtobuf, followOn)
	other := e.namespace + "-other"
	e.wantText(made, fmt.Sprintf(`
create configmaps NS/cached-new (by parent NS/cached)
create configmaps NS/fails-new (by parent NS/fails)
create configmaps NS/gets-new (by parent NS/gets)
create configmaps NS/goes-on-new (by parent NS/goes-on)
create namespaces NS-other (by parent NS/inside)
    + metadata.labels[kubernetes.io/metadata.name]: "NS-other"
    + spec.finalizers[0]: "kubernetes"
    + status.phase: "Active"
create configmaps NS/patches-new (by parent NS/patches)
delete configmaps NS/old (by parent NS/recreates)
create configmaps NS/wraps-new (by parent NS/wraps)
stopped (by parent NS/cached): the reconcile could not be followed, because the create of configmaps NS/cached-new was not really made
    configmaps "cached-new" not found
stopped (by parent NS/gets): get configmaps NS/gets-new could not be followed, because the create of configmaps NS/gets-new was not really made
    configmaps "gets-new" not found
stopped (by parent NS/goes-on): get configmaps NS/goes-on-new could not be followed, because the create of configmaps NS/goes-on-new was not really made
stopped (by parent NS/inside): create configmaps NS-other/ could not be followed, because the create of namespaces NS-other was not really made
    namespaces "%[1]s" not found
stopped (by parent NS/patches): patch configmaps NS/patches-new could not be followed, because the create of configmaps NS/patches-new was not really made
    configmaps "patches-new" not found
stopped (by parent NS/recreates): create configmaps NS/old could not be followed, because the delete of configmaps NS/old was not really made
    configmaps "old" already exists
stopped (by parent NS/wraps): get configmaps NS/wraps-new could not be followed, because the create of configmaps NS/wraps-new was not really made
    the new object has gone
failed (by parent NS/fails): configmaps "another" not found
plan of 8 reconciles: 7 to create, 1 to delete, 7 not followed, 1 failed
`, "NS-other"))
	if _, err := e.admin.CoreV1().Namespaces().Get(e.Context(), other, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the namespace is there: %v", err)
	}
	for _, stop := range made.Stops {
		if stop.Author.Request.Name == "recreates" && stop.Action != plan.Delete {
			t.Errorf("%+v", stop)
		}
	}
}

// followOn does what its parent is named after, after it has created an object.
func followOn(ctx context.Context, kube kubernetes.Interface, _ *controller.Manager, parent *corev1.ConfigMap) error {
	maps := kube.CoreV1().ConfigMaps(parent.Namespace)
	switch parent.Name {
	case "recreates":
		if err := maps.Delete(ctx, "old", metav1.DeleteOptions{}); err != nil {
			return err
		}
		_, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "old"}}, metav1.CreateOptions{})
		return err
	case "inside":
		other := parent.Namespace + "-other"
		if _, err := kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: other}}, metav1.CreateOptions{}); err != nil {
			return err
		}
		_, err := kube.CoreV1().ConfigMaps(other).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{})
		return err
	}
	name := parent.Name + "-new"
	if _, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	switch parent.Name {
	case "patches":
		_, err := maps.Patch(ctx, name, types.MergePatchType, []byte(`{"data":{"a":"1"}}`), metav1.PatchOptions{})
		return err
	case "cached": // as a lister says it
		return apierrors.NewNotFound(corev1.Resource("configmaps"), name)
	case "fails":
		_, err := maps.Get(ctx, "another", metav1.GetOptions{})
		return err
	}
	_, err := maps.Get(ctx, name, metav1.GetOptions{})
	switch {
	case parent.Name == "goes-on" && apierrors.IsNotFound(err):
		return nil
	case parent.Name == "wraps" && err != nil:
		return errors.New("the new object has gone")
	}
	return err
}
