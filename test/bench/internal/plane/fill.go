// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
)

// creators is how many objects are created at the same time.
const creators = 32

// Fill makes a namespace with n objects of a kind, unless it is there.
func (p *Plane) Fill(ctx context.Context, namespace, kind string, n int) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	_, err := p.Kube.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for i := range n {
		group.Go(func() error { return p.Create(ctx, namespace, kind, Name(i)) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("fill namespace %s: %w", namespace, err)
	}
	return nil
}

// Name is the name of the object of a number.
func Name(i int) string { return fmt.Sprintf("object-%06d", i) }

// Create makes one object: about a kilobyte of data, with a few labels and annotations.
func (p *Plane) Create(ctx context.Context, namespace, kind, name string) error {
	meta := metav1.ObjectMeta{
		Namespace: namespace, Name: name,
		Labels: map[string]string{
			"app.kubernetes.io/name": "bench", "app.kubernetes.io/part-of": "lanyard", "app.kubernetes.io/instance": name,
		},
		Annotations: map[string]string{"bench.example/about": "made by the benchmark"},
	}
	if kind == "flunder" {
		f := &wardlev1beta1.Flunder{ObjectMeta: meta, Spec: wardlev1beta1.FlunderSpec{Image: "registry.example/flunder:v1"}}
		_, err := p.Wardle.WardleV1beta1().Flunders(namespace).Create(ctx, f, metav1.CreateOptions{FieldManager: "bench"})
		return err
	}
	cm := &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{}}
	for key := range 10 {
		cm.Data[fmt.Sprintf("key-%d", key)] = strings.Repeat(fmt.Sprintf("%s/%d ", name, key), 6)
	}
	_, err := p.Kube.CoreV1().ConfigMaps(namespace).Create(ctx, cm, metav1.CreateOptions{FieldManager: "bench"})
	return err
}
