// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

// Change writes the time into a ConfigMap. A reconcile tells by it how long the change was on its way,
// the server's part included.
func (p *Plane) Change(ctx context.Context, namespace, name string) (sent int64, err error) {
	sent = time.Now().UnixNano()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"%d"}}}`, program.SentAnnotation, sent)
	_, err = p.Kube.CoreV1().ConfigMaps(namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	return sent, err
}

// Recreate deletes a ConfigMap and makes it anew.
func (p *Plane) Recreate(ctx context.Context, namespace, name string) error {
	if err := p.Kube.CoreV1().ConfigMaps(namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	return p.Create(ctx, namespace, "configmap", name)
}

const urgent = "urgent"

// CreateUrgent makes a ConfigMap that tells when it was sent.
func (p *Plane) CreateUrgent(ctx context.Context, namespace string) (sent int64, err error) {
	sent = time.Now().UnixNano()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Name: urgent, Annotations: map[string]string{program.SentAnnotation: strconv.FormatInt(sent, 10)},
	}}
	_, err = p.Kube.CoreV1().ConfigMaps(namespace).Create(ctx, cm, metav1.CreateOptions{})
	return sent, err
}

// DeleteUrgent deletes it.
func (p *Plane) DeleteUrgent(ctx context.Context, namespace string) error {
	return p.Kube.CoreV1().ConfigMaps(namespace).Delete(ctx, urgent, metav1.DeleteOptions{})
}
