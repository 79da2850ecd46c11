// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// awaitNodes creates nodes and waits until pods can run on them.
func (p *ControlPlane) awaitNodes(ctx context.Context, n int) error {
	for i := range n {
		if _, err := p.client.CoreV1().Nodes().Create(ctx, newNode(i), metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create simulated node: %w", err)
		}
	}
	return p.await(ctx, func(ctx context.Context) error {
		_, err := p.client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		if err != nil {
			err = fmt.Errorf("the default service account has not been created: %w", err)
		}
		for i := range n {
			err = errors.Join(err, p.nodeMissing(ctx, nodeName(i)))
		}
		return err
	})
}

func (p *ControlPlane) nodeMissing(ctx context.Context, name string) error {
	node, err := p.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get node: %w", err)
	}
	ready := corev1.ConditionUnknown
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			ready = c.Status
		}
	}
	if ready != corev1.ConditionTrue {
		return fmt.Errorf("node %s: condition Ready is %s (kwok sets it)", name, ready)
	}
	for _, taint := range node.Spec.Taints {
		return fmt.Errorf("node %s: still has the taint %s (kube-controller-manager removes it)", name, taint.ToString())
	}
	return nil
}

func nodeName(i int) string { return fmt.Sprintf("node-%d", i) }

// newNode returns a node for kwok to bring to life.
func newNode(i int) *corev1.Node {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("64"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("1000"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        nodeName(i),
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
			Labels: map[string]string{
				corev1.LabelHostname:   nodeName(i),
				corev1.LabelOSStable:   "linux",
				corev1.LabelArchStable: runtime.GOARCH,
				"type":                 "kwok",
			},
		},
		Status: corev1.NodeStatus{
			Capacity:    capacity,
			Allocatable: capacity,
			NodeInfo:    corev1.NodeSystemInfo{Architecture: runtime.GOARCH},
		},
	}
}
