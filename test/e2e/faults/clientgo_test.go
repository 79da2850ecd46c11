// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corev1listers "k8s.io/client-go/listers/core/v1"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
)

// clientsets is the access of programs that use generated clients and listers.
type clientsets struct {
	kube   kubernetes.Interface
	wardle versioned.Interface
	lister corev1listers.ConfigMapLister
}

func (c *clientsets) children(_ context.Context, of *wardlev1beta1.Flunder) ([]*corev1.ConfigMap, error) {
	return c.lister.ConfigMaps(of.Namespace).List(labels.Set{labelOf: of.Name}.AsSelector())
}

func (c *clientsets) create(ctx context.Context, child *corev1.ConfigMap) error {
	_, err := c.kube.CoreV1().ConfigMaps(child.Namespace).Create(ctx, child, metav1.CreateOptions{})
	return err
}

func (c *clientsets) delete(ctx context.Context, child *corev1.ConfigMap) error {
	return c.kube.CoreV1().ConfigMaps(child.Namespace).Delete(ctx, child.Name, metav1.DeleteOptions{})
}

func (c *clientsets) patch(ctx context.Context, parent *wardlev1beta1.Flunder, patch string) error {
	return c.send(ctx, parent, patch)
}

func (c *clientsets) patchStatus(ctx context.Context, parent *wardlev1beta1.Flunder, patch string) error {
	return c.send(ctx, parent, patch, "status")
}

func (c *clientsets) send(ctx context.Context, parent *wardlev1beta1.Flunder, patch string, subresources ...string) error {
	_, err := c.wardle.WardleV1beta1().Flunders(parent.Namespace).Patch(
		ctx, parent.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresources...)
	return err
}
