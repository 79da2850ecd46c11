// SPDX-License-Identifier: Apache-2.0

// Package bucket makes a bucket in an external system for each labelled ConfigMap, and removes it
// before the ConfigMap goes. It is an example of a finalizer and of calls with a time limit.
package bucket

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

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
	client metadata.Getter
	system *url.URL
}

// SetUp adds the controller to a manager. address is that of the external system.
//
// The controller watches all ConfigMaps, and of these only the metadata. An informer that selects those
// with the label would lose sight of one whose label is removed: its bucket would stay, and so would the
// finalizer, with which it could never be deleted.
func SetUp(m *controller.Manager, address string) (*controller.Controller[*metav1.PartialObjectMetadata], error) {
	system, err := url.ParseRequestURI(address)
	if err != nil {
		return nil, fmt.Errorf("the address of the external system: %w", err)
	}
	client, err := metadata.NewForConfig(m.Config())
	if err != nil {
		return nil, err
	}
	resource := corev1.SchemeGroupVersion.WithResource("configmaps")
	maps := controller.Standalone[*metav1.PartialObjectMetadata](
		metadatainformer.NewFilteredMetadataInformer(
			client, resource, metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer(),
		controller.InformerOptions{Kind: schema.GroupKind{Kind: "ConfigMap"}})
	r := &reconciler{client: client.Resource(resource), system: system}
	return controller.New(m, "bucket", maps, r.reconcile, controller.Options{Workers: 4}), nil
}

// reconcile adds the finalizer before the bucket is made, and removes it when the bucket is gone.
func (r *reconciler) reconcile(ctx context.Context, cm *metav1.PartialObjectMetadata) (controller.Result, error) {
	patch := r.client.Namespace(cm.Namespace).Patch
	if cm.Labels[Label] != "true" && cm.DeletionTimestamp == nil {
		return finalizer.Finish(ctx, cm, Finalizer, patch, r.remove)
	}
	return finalizer.Reconcile(ctx, cm, Finalizer, patch, r.ensure, r.remove)
}

// ensure makes the bucket. The external system takes the same request twice.
func (r *reconciler) ensure(ctx context.Context, cm *metav1.PartialObjectMetadata) (controller.Result, error) {
	ctx, cancel := controller.ExternalContext(ctx) // ManagerOptions.CallTimeouts.External
	defer cancel()
	return controller.Result{}, r.call(ctx, http.MethodPut, cm)
}

// remove removes the bucket. Its context has the time limit already.
func (r *reconciler) remove(ctx context.Context, cm *metav1.PartialObjectMetadata) (controller.Result, error) {
	return controller.Result{}, r.call(ctx, http.MethodDelete, cm)
}

// call makes a request about the bucket of a ConfigMap. That there is none to remove is no error.
func (r *reconciler) call(ctx context.Context, method string, cm *metav1.PartialObjectMetadata) error {
	bucket := r.system.JoinPath(cm.Namespace, cm.Name).String()
	request, err := http.NewRequestWithContext(ctx, method, bucket, http.NoBody)
	if err != nil {
		return controller.TerminalError(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the external system: %w", err) // err has the request, and why its time was over
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
	if answer.StatusCode >= http.StatusBadRequest && answer.StatusCode != http.StatusNotFound {
		return fmt.Errorf("%s %s: the external system answered %s", method, bucket, answer.Status)
	}
	return nil
}
