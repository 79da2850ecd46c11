// SPDX-License-Identifier: Apache-2.0

// Package bucket makes a bucket in an external system for each labelled ConfigMap, and removes it
// before the ConfigMap goes. It is an example of a finalizer and of calls with a time limit.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/finalizer"
)

const (
	// Label is the label of the ConfigMaps that have a bucket; its value is "true".
	Label = "bucket.example.com/wanted"
	// Finalizer keeps a ConfigMap until its bucket is gone.
	Finalizer = "bucket.example.com/bucket"
)

type reconciler struct {
	client coreclient.ConfigMapsGetter
	url    string
}

// SetUp adds the controller to a manager. url is that of the external system.
func SetUp(m *controller.Manager, url string) (*controller.Controller[*corev1.ConfigMap], error) {
	client, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return nil, err
	}
	labelled := func(o *metav1.ListOptions) { o.LabelSelector = Label + "=true" }
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(
		client, 0, informers.WithTweakListOptions(labelled)))
	r := &reconciler{client: client.CoreV1(), url: url}
	maps := factory.Core().V1().ConfigMaps().TypedInformer()
	return controller.New(m, "bucket", maps, r.reconcile, controller.Options{Workers: 4}), nil
}

// reconcile adds the finalizer before the bucket is made, and removes it when the bucket is gone.
func (r *reconciler) reconcile(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
	return finalizer.Reconcile(ctx, cm, Finalizer, r.client.ConfigMaps(cm.Namespace).Patch, r.ensure, r.remove)
}

// ensure makes the bucket. The external system takes the same request twice.
func (r *reconciler) ensure(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
	ctx, cancel := controller.ExternalContext(ctx) // ManagerOptions.CallTimeouts.External
	defer cancel()
	return controller.Result{}, r.call(ctx, http.MethodPut, cm)
}

// remove removes the bucket. Its context has the time limit already.
func (r *reconciler) remove(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
	return controller.Result{}, r.call(ctx, http.MethodDelete, cm)
}

// call makes a request about the bucket of a ConfigMap. That there is none to remove is no error.
func (r *reconciler) call(ctx context.Context, method string, cm *corev1.ConfigMap) error {
	bucket := fmt.Sprintf("%s/%s-%s", r.url, cm.Namespace, cm.Name)
	request, err := http.NewRequestWithContext(ctx, method, bucket, http.NoBody)
	if err != nil {
		return controller.TerminalError(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, bucket, errors.Join(err, context.Cause(ctx)))
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
	if answer.StatusCode >= http.StatusBadRequest && answer.StatusCode != http.StatusNotFound {
		return fmt.Errorf("%s %s: the external system answered %s", method, bucket, answer.Status)
	}
	return nil
}
