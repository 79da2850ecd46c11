// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	crreconcile "sigs.k8s.io/controller-runtime/pkg/reconcile"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
)

// onControllerRuntime is written as controller-runtime's documentation says: the builder, and the manager's
// client, which reads from the cache. consistent is its experimental option.
func onControllerRuntime(consistent bool) run {
	return func(ctx context.Context, config *rest.Config, p *program) error {
		scheme := runtime.NewScheme()
		if err := clientgoscheme.AddToScheme(scheme); err != nil {
			return err
		}
		if err := wardlev1beta1.AddToScheme(scheme); err != nil {
			return err
		}
		skip := true
		options := ctrl.Options{
			Scheme: scheme, Logger: logr.Discard(),
			Cache:      cache.Options{DefaultNamespaces: map[string]cache.Config{p.namespace: {}}},
			Metrics:    metricsserver.Options{BindAddress: "0"},
			Controller: ctrlconfig.Controller{SkipNameValidation: &skip}, // there are many in this process
		}
		if consistent {
			options.Client.Cache = &client.CacheOptions{EnableReadYourWritesConsistency: &consistent}
		}
		mgr, err := ctrl.NewManager(config, options)
		if err != nil {
			return err
		}
		api := &managersClient{mgr.GetClient()}
		err = ctrl.NewControllerManagedBy(mgr).
			For(&wardlev1beta1.Flunder{}).
			Owns(&corev1.ConfigMap{}).
			WithOptions(controller.Options{MaxConcurrentReconciles: p.workers}).
			Complete(crreconcile.Func(func(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
				parent := &wardlev1beta1.Flunder{}
				if err := api.Get(ctx, req.NamespacedName, parent); err != nil {
					return ctrl.Result{}, client.IgnoreNotFound(err)
				}
				return ctrl.Result{}, p.reconcile(ctx, api, parent)
			}))
		if err != nil {
			return err
		}
		return mgr.Start(ctx)
	}
}

// managersClient is the access through controller-runtime's client.
type managersClient struct{ client.Client }

func (c *managersClient) children(ctx context.Context, of *wardlev1beta1.Flunder) ([]*corev1.ConfigMap, error) {
	var list corev1.ConfigMapList
	err := c.List(ctx, &list, client.InNamespace(of.Namespace), client.MatchingLabels{labelOf: of.Name})
	var all []*corev1.ConfigMap
	for i := range list.Items {
		all = append(all, &list.Items[i])
	}
	return all, err
}

func (c *managersClient) create(ctx context.Context, child *corev1.ConfigMap) error {
	return c.Create(ctx, child)
}

func (c *managersClient) delete(ctx context.Context, child *corev1.ConfigMap) error {
	return c.Delete(ctx, child)
}

func (c *managersClient) patch(ctx context.Context, parent *wardlev1beta1.Flunder, patch string) error {
	return c.Patch(ctx, named(parent), client.RawPatch(types.MergePatchType, []byte(patch)))
}

func (c *managersClient) patchStatus(ctx context.Context, parent *wardlev1beta1.Flunder, patch string) error {
	return c.Status().Patch(ctx, named(parent), client.RawPatch(types.MergePatchType, []byte(patch)))
}

// named returns an object for the answer to a patch.
func named(parent *wardlev1beta1.Flunder) *wardlev1beta1.Flunder {
	return &wardlev1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Namespace: parent.Namespace, Name: parent.Name}}
}
