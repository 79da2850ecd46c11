// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
)

// labelOf names the parent of a child.
const labelOf = "of"

// handled is the annotation for what has been done for a parent.
const handled = "handled"

// access is what a reconcile does with the API, each framework in its own way. What it reads comes from
// caches.
type access interface {
	children(ctx context.Context, of *wardlev1beta1.Flunder) ([]*corev1.ConfigMap, error)
	create(ctx context.Context, child *corev1.ConfigMap) error
	delete(ctx context.Context, child *corev1.ConfigMap) error
	patch(ctx context.Context, parent *wardlev1beta1.Flunder, patch string) error
	patchStatus(ctx context.Context, parent *wardlev1beta1.Flunder, patch string) error
}

// reconcile is one of the functions below. The parent comes from a cache.
type reconcile func(ctx context.Context, a access, parent *wardlev1beta1.Flunder) error

// oneChild makes a child, whose name the API server makes up, unless there is one.
func oneChild(ctx context.Context, a access, parent *wardlev1beta1.Flunder) error {
	known, err := a.children(ctx, parent)
	if err != nil || len(known) > 0 {
		return err
	}
	child := childOf(parent)
	child.GenerateName = parent.Name + "-"
	return a.create(ctx, child)
}

// replace deletes a child of another image, and makes it anew under its name. It is for children that cannot
// be changed.
func replace(ctx context.Context, a access, parent *wardlev1beta1.Flunder) error {
	known, err := a.children(ctx, parent)
	if err != nil {
		return err
	}
	for _, child := range known {
		if child.Data["image"] == parent.Spec.Image {
			return nil
		}
		if err := a.delete(ctx, child); err != nil {
			return err
		}
	}
	child := childOf(parent)
	child.Name = parent.Name
	return a.create(ctx, child)
}

// once does something elsewhere for each image, and notes in the object itself that it was done.
func once(effect func(parent string)) reconcile {
	return func(ctx context.Context, a access, parent *wardlev1beta1.Flunder) error {
		if parent.Annotations[handled] == parent.Spec.Image {
			return nil
		}
		effect(parent.Name)
		return a.patch(ctx, parent, `{"metadata":{"annotations":{"`+handled+`":"`+parent.Spec.Image+`"}}}`)
	}
}

// steps goes through two states and shows each in the status.
func steps(ctx context.Context, a access, parent *wardlev1beta1.Flunder) error {
	if parent.Status.Replicas == 2 {
		return nil
	}
	if err := a.patchStatus(ctx, parent, `{"status":{"replicas":1}}`); err != nil {
		return err
	}
	return a.patchStatus(ctx, parent, `{"status":{"replicas":2}}`)
}

func childOf(parent *wardlev1beta1.Flunder) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: parent.Namespace, Labels: map[string]string{labelOf: parent.Name},
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(parent, wardlev1beta1.SchemeGroupVersion.WithKind("Flunder")),
			},
		},
		Data: map[string]string{"image": parent.Spec.Image},
	}
}
