// SPDX-License-Identifier: Apache-2.0

// Package after is the operator on Lanyard.
package after

import (
	"context"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	appslisters "k8s.io/client-go/listers/apps/v1"
	"k8s.io/client-go/tools/cache"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/clientset/versioned/scheme"
	wardleclient "github.com/lanyard-k8s/lanyard/clientset/versioned/typed/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
	wardleinformers "github.com/lanyard-k8s/lanyard/informers/externalversions"
	wardlelisters "github.com/lanyard-k8s/lanyard/listers/wardle/v1beta1"
)

// referenceIndex finds Flunders by the one that they refer to.
const referenceIndex = "spec.flunderReference"

// Records is the DNS server's API.
type Records interface {
	Add(ctx context.Context, name string) error
	Remove(ctx context.Context, name string) error
}

type reconciler struct {
	flunders     wardleclient.FlundersGetter
	deployments  appsclient.DeploymentsGetter
	flunderCache wardlelisters.FlunderLister
	deployCache  appslisters.DeploymentLister
	byReference  cache.TypedIndexer[*wardlev1beta1.Flunder]
	records      Records
}

// SetUp adds the controller to a manager.
func SetUp(m *controller.Manager, records Records) error {
	kube, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return err
	}
	wardle, err := versioned.NewForConfig(m.Config())
	if err != nil {
		return err
	}
	m.AddScheme(scheme.Scheme)
	deployments := controller.AddFactory(m, informers.NewSharedInformerFactory(kube, 0)).Apps().V1().Deployments()
	flunders := controller.AddFactory(m, wardleinformers.NewSharedInformerFactory(wardle, 0)).Wardle().V1beta1().Flunders()
	err = flunders.TypedInformer().AddTypedIndexers(cache.TypedIndexers[*wardlev1beta1.Flunder]{
		referenceIndex: func(f *wardlev1beta1.Flunder) ([]string, error) {
			return []string{f.Namespace + "/" + f.Spec.FlunderReference}, nil
		},
	})
	if err != nil {
		return err
	}
	r := &reconciler{
		flunders: wardle.WardleV1beta1(), deployments: kube.AppsV1(),
		flunderCache: flunders.Lister(), deployCache: deployments.Lister(),
		byReference: flunders.TypedInformer().GetTypedIndexer(), records: records,
	}
	c := controller.New(m, "flunder", flunders.TypedInformer(), r.reconcile, controller.Options{Workers: 4})
	controller.Owns(c, deployments.TypedInformer())
	controller.Watches(c, flunders.TypedInformer(), r.dependants)
	return nil
}

// dependants names the Flunders that refer to one.
func (r *reconciler) dependants(_ context.Context, f *wardlev1beta1.Flunder) []controller.Request {
	list, err := r.byReference.ByTypedIndex(referenceIndex, f.Namespace+"/"+f.Name)
	if err != nil {
		return nil // there is no such index, which SetUp has added
	}
	requests := make([]controller.Request, len(list))
	for i, f := range list {
		requests[i] = controller.Request{Namespace: f.Namespace, Name: f.Name}
	}
	return requests
}
