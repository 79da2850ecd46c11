// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/clientset/versioned/scheme"
	"github.com/lanyard-k8s/lanyard/controller"
	wardleinformers "github.com/lanyard-k8s/lanyard/informers/externalversions"
)

// onLanyard is written as docs/controllers.md says.
func onLanyard(ctx context.Context, config *rest.Config, p *program) error {
	m := controller.NewManager(config, controller.ManagerOptions{})
	m.AddScheme(scheme.Scheme)
	clients := &clientsets{kube: kubernetes.NewForConfigOrDie(m.Config()), wardle: versioned.NewForConfigOrDie(m.Config())}
	children := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(
		clients.kube, 0, informers.WithNamespace(p.namespace))).Core().V1().ConfigMaps()
	parents := controller.AddFactory(m, wardleinformers.NewSharedInformerFactoryWithOptions(
		clients.wardle, 0, wardleinformers.WithNamespace(p.namespace))).Wardle().V1beta1().Flunders()
	clients.lister = children.Lister()
	c := controller.New(m, "parents", parents.TypedInformer(),
		func(ctx context.Context, parent *wardlev1beta1.Flunder) (controller.Result, error) {
			return controller.Result{}, p.reconcile(ctx, clients, parent)
		}, controller.Options{Workers: p.workers})
	controller.Owns(c, children.TypedInformer())
	return m.Run(ctx)
}
