// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"errors"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	wardleinformers "github.com/lanyard-k8s/lanyard/informers/externalversions"
)

// bare is written as kubernetes/sample-controller is: informers, a workqueue and listers.
func bare(ctx context.Context, config *rest.Config, p *program) error {
	clients := &clientsets{kube: kubernetes.NewForConfigOrDie(config), wardle: versioned.NewForConfigOrDie(config)}
	kube := informers.NewSharedInformerFactoryWithOptions(clients.kube, 0, informers.WithNamespace(p.namespace))
	wardle := wardleinformers.NewSharedInformerFactoryWithOptions(clients.wardle, 0, wardleinformers.WithNamespace(p.namespace))
	children, parents := kube.Core().V1().ConfigMaps(), wardle.Wardle().V1beta1().Flunders()
	clients.lister = children.Lister()

	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	whenever := func(enqueue func(metav1.Object)) cache.ResourceEventHandler {
		tell := func(object any) {
			if deleted, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = deleted.Obj
			}
			if object, ok := object.(metav1.Object); ok {
				enqueue(object)
			}
		}
		return cache.ResourceEventHandlerFuncs{AddFunc: tell, UpdateFunc: func(_, after any) { tell(after) }, DeleteFunc: tell}
	}
	_, err := parents.Informer().AddEventHandler(whenever(func(parent metav1.Object) { queue.Add(parent.GetName()) }))
	_, errOfChildren := children.Informer().AddEventHandler(whenever(func(child metav1.Object) {
		if owner := metav1.GetControllerOf(child); owner != nil {
			queue.Add(owner.Name)
		}
	}))
	if err := errors.Join(err, errOfChildren); err != nil {
		return err
	}
	kube.StartWithContext(ctx)
	wardle.StartWithContext(ctx)
	defer kube.Shutdown()
	defer wardle.Shutdown()
	cache.WaitForCacheSync(ctx.Done(), parents.Informer().HasSynced, children.Informer().HasSynced)

	var workers sync.WaitGroup
	for range p.workers {
		workers.Go(func() {
			for {
				name, shutdown := queue.Get()
				if shutdown {
					return
				}
				parent, err := parents.Lister().Flunders(p.namespace).Get(name)
				if err == nil && p.reconcile(ctx, clients, parent) != nil {
					queue.AddRateLimited(name)
				} else {
					queue.Forget(name)
				}
				queue.Done(name)
			}
		})
	}
	<-ctx.Done()
	queue.ShutDown()
	workers.Wait()
	return nil
}
