// SPDX-License-Identifier: Apache-2.0

// Package children counts the Secrets that a ConfigMap owns. It is an example of a controller over a
// set of namespaces that changes at run time, with owned objects of which only the metadata is cached.
package children

import (
	"context"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/apply"
)

const (
	// Enabled is the label of the namespaces in which the controller works; its value is "true".
	Enabled = "children.example.com/enabled"
	// Count is the annotation of a ConfigMap with the number of Secrets that it owns.
	Count = "children.example.com/secrets"

	fieldManager = "children-example"
	ownerIndex   = "owner"
)

type reconciler struct {
	client  coreclient.ConfigMapsGetter
	secrets cache.TypedSharedIndexInformer[*metav1.PartialObjectMetadata]
}

// SetUp adds two controllers to a manager: one counts, and one keeps the set of namespaces.
func SetUp(m *controller.Manager) (*controller.Controller[*corev1.ConfigMap], error) {
	client, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return nil, err
	}
	metadatas, err := metadata.NewForConfig(m.Config())
	if err != nil {
		return nil, err
	}
	namespaces := controller.NewNamespaces()
	addNamespaces(m, metadatas, namespaces)

	maps := controller.InNamespaces(namespaces, controller.InformerOptions{},
		func(namespace string) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
			return coreinformers.NewTypedConfigMapInformer(client, namespace, 0, nil)
		})
	secrets := controller.InNamespaces(namespaces,
		controller.InformerOptions{Kind: schema.GroupKind{Kind: "Secret"}},
		func(namespace string) cache.TypedSharedIndexInformer[*metav1.PartialObjectMetadata] {
			indexers := cache.Indexers{ownerIndex: byOwner}
			return cache.NewTypedSharedIndexInformer[*metav1.PartialObjectMetadata](
				metadatainformer.NewFilteredMetadataInformer(
					metadatas, corev1.SchemeGroupVersion.WithResource("secrets"), namespace, 0, indexers, nil).Informer())
		})
	r := &reconciler{client: client.CoreV1(), secrets: secrets}
	c := controller.New(m, "children", maps, r.reconcile, controller.Options{})
	controller.Owns(c, secrets)
	return c, nil
}

// addNamespaces adds a controller that keeps the set of namespaces.
func addNamespaces(m *controller.Manager, client metadata.Interface, namespaces *controller.Namespaces) {
	labelled := controller.Standalone[*metav1.PartialObjectMetadata](
		metadatainformer.NewFilteredMetadataInformer(
			client, corev1.SchemeGroupVersion.WithResource("namespaces"), "", 0, cache.Indexers{},
			func(o *metav1.ListOptions) { o.LabelSelector = Enabled + "=true" }).Informer(),
		controller.InformerOptions{Kind: schema.GroupKind{Kind: "Namespace"}})
	set := func() { namespaces.Set(labelled.GetIndexer().ListKeys()...) }
	controller.New(m, "namespaces", labelled,
		func(context.Context, *metav1.PartialObjectMetadata) (controller.Result, error) {
			set()
			return controller.Result{}, nil
		},
		controller.Options{EveryReplica: true, OnDeleted: func(context.Context, controller.Request) (controller.Result, error) {
			set()
			return controller.Result{}, nil
		}})
}

// reconcile writes the number of Secrets, if it is not there already.
func (r *reconciler) reconcile(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
	owned, err := r.secrets.GetIndexer().ByIndex(ownerIndex, string(cm.UID))
	if err != nil {
		return controller.Result{}, err
	}
	if _, counted := cm.Annotations[Count]; len(owned) == 0 && !counted {
		return controller.Result{}, nil // most ConfigMaps own nothing: leave them alone
	}
	desired := coreac.ConfigMap(cm.Name, cm.Namespace).WithUID(cm.UID).
		WithAnnotations(map[string]string{Count: strconv.Itoa(len(owned))})
	_, err = apply.IfDifferent(ctx, cm, desired, r.client.ConfigMaps(cm.Namespace).Apply,
		metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return controller.Result{}, err
}

// byOwner indexes an object by the UID of its controller.
func byOwner(obj any) ([]string, error) {
	object, ok := obj.(*metav1.PartialObjectMetadata)
	if !ok {
		return nil, nil
	}
	if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
		return []string{string(owner.UID)}, nil
	}
	return nil, nil
}
