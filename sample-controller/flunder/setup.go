// SPDX-License-Identifier: Apache-2.0

package flunder

import (
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/clientset/versioned/scheme"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/events"
	wardleinformers "github.com/lanyard-k8s/lanyard/informers/externalversions"
)

// Setup adds the Flunder controller to a manager.
func Setup(
	m *controller.Manager,
	options Options,
) (*controller.Controller[*wardlev1beta1.Flunder], error) {
	kube, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return nil, err
	}
	wardle, err := versioned.NewForConfig(m.Config())
	if err != nil {
		return nil, err
	}
	m.AddScheme(scheme.Scheme)
	if options.Instance == "" {
		options.Instance = FieldManager
	}
	deployments := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(
		kube, 0, informers.WithNamespace(options.Namespace))).Apps().V1().Deployments()
	flunders := controller.AddFactory(m, wardleinformers.NewSharedInformerFactoryWithOptions(
		wardle, 0, wardleinformers.WithNamespace(options.Namespace))).Wardle().V1beta1().Flunders()
	if err := flunders.TypedInformer().AddTypedIndexers(cache.TypedIndexers[*wardlev1beta1.Flunder]{referenceIndex: indexByReference}); err != nil {
		return nil, err
	}

	r := &Reconciler{
		flunders:     wardle.WardleV1beta1(),
		deployments:  kube.AppsV1(),
		flunderCache: flunders.Lister(),
		deployCache:  deployments.Lister(),
		byReference:  flunders.TypedInformer().GetTypedIndexer(),
		events: events.NewRecorder(
			kube.EventsV1(),
			scheme.Scheme,
			wardlev1beta1.GroupName+"/"+FieldManager,
			options.Instance,
		),
	}
	c := controller.New(
		m,
		"flunder",
		flunders.TypedInformer(),
		r.Reconcile,
		controller.Options{Workers: options.Workers, Sharded: true},
	)
	controller.Owns(c, deployments.TypedInformer())
	controller.Watches(c, deployments.TypedInformer(), inTheWay)
	controller.Watches(
		c,
		flunders.TypedInformer(),
		r.dependants,
		controller.WithFilter(concernsDependants),
	)
	return c, nil
}
