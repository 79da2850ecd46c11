// SPDX-License-Identifier: Apache-2.0

package janitor

import (
	"cmp"
	"context"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apihelpers"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
)

// kinds has a controller for each kind that the janitor takes care of.
type kinds struct {
	manager *controller.Manager
	client  dynamic.Interface
	running map[string]*runningKind // by definition; the controller of the definitions has one worker
}

// kind is what a controller needs to know of a kind. If it changes, a new controller is needed.
type kind struct {
	definition types.UID
	resource   schema.GroupVersionResource
	kind       schema.GroupKind
	lifetime   string // the field
}

type runningKind struct {
	kind       kind
	controller *controller.Controller[*unstructured.Unstructured]
}

// reconcile makes the controller of a kind match the definition.
func (k *kinds) reconcile(
	ctx context.Context, definition *apiextensionsv1.CustomResourceDefinition,
) (controller.Result, error) {
	wanted, ok := kindOf(definition)
	if running := k.running[definition.Name]; running != nil && ok && running.kind == wanted {
		return controller.Result{}, nil
	}
	if err := k.stop(ctx, definition.Name); err != nil {
		return controller.Result{}, err
	}
	if ok {
		k.start(ctx, definition.Name, wanted)
	}
	return controller.Result{}, nil
}

func (k *kinds) onDeleted(ctx context.Context, request controller.Request) (controller.Result, error) {
	return controller.Result{}, k.stop(ctx, request.Name)
}

// kindOf returns the kind of a definition. ok is false if the janitor is not to take care of it, or if
// the API server does not serve it.
func kindOf(definition *apiextensionsv1.CustomResourceDefinition) (_ kind, ok bool) {
	version := servedVersion(definition)
	if definition.Labels[Enabled] != "true" || definition.DeletionTimestamp != nil || version == "" ||
		!apihelpers.IsCRDConditionTrue(definition, apiextensionsv1.Established) {
		return kind{}, false
	}
	group, names := definition.Spec.Group, &definition.Status.AcceptedNames
	return kind{
		definition: definition.UID,
		resource:   schema.GroupVersionResource{Group: group, Version: version, Resource: names.Plural},
		kind:       schema.GroupKind{Group: group, Kind: names.Kind},
		lifetime:   cmp.Or(definition.Annotations[LifetimeField], "spec.lifetime"),
	}, true
}

// servedVersion returns the version that is stored if it is served, or else another that is served.
func servedVersion(definition *apiextensionsv1.CustomResourceDefinition) (served string) {
	for _, version := range definition.Spec.Versions {
		if version.Served && (version.Storage || served == "") {
			served = version.Name
		}
	}
	return served
}

// start adds the controller of a kind to the manager. Its informer is of no factory, so it ends with the
// controller.
func (k *kinds) start(ctx context.Context, name string, wanted kind) {
	klog.FromContext(ctx).Info("Taking care of a kind", "kind", wanted.kind, "lifetime", wanted.lifetime)
	informer := controller.Standalone[*unstructured.Unstructured](
		dynamicinformer.NewFilteredDynamicInformer(
			k.client, wanted.resource, metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer(),
		controller.InformerOptions{Kind: wanted.kind})
	r := &reconciler{client: k.client.Resource(wanted.resource), field: wanted.lifetime}
	k.running[name] = &runningKind{wanted, controller.New(k.manager, name, informer, r.reconcile, controller.Options{})}
}

// stop ends the controller of a kind, if there is one. It waits, because the name of the controller is
// free only when nothing of it runs any more.
func (k *kinds) stop(ctx context.Context, name string) error {
	running := k.running[name]
	if running == nil {
		return nil
	}
	running.controller.Stop()
	select {
	case <-running.controller.Stopped():
		delete(k.running, name)
		klog.FromContext(ctx).Info("A kind is no more taken care of", "kind", running.kind.kind)
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of the controller of %s: %w", running.kind.kind, context.Cause(ctx))
	}
}
