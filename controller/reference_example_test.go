// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
)

// The parts of a program: what wakes its objects, and what else runs.
func ExampleManager() {
	run := func(
		ctx context.Context, config *rest.Config,
		webs, settings cache.TypedSharedIndexInformer[*corev1.ConfigMap],
		reconcile controller.ReconcileFunc[*corev1.ConfigMap],
		mapping controller.MapFunc[*corev1.ConfigMap],
		serve func(context.Context) error,
	) error {
		m := controller.NewManager(config, controller.ManagerOptions{})
		client := kubernetes.NewForConfigOrDie(m.Config()) // the manager's configuration, not your own
		factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
		apps := factory.Apps().V1()

		c := controller.New(m, "web", webs, reconcile, controller.Options{Workers: 4})
		controller.Owns(c, apps.Deployments().TypedInformer()) // a Deployment wakes the object that owns it
		controller.Watches(c, settings, mapping)               // an event wakes the objects that mapping returns
		m.AddRunnable("health", serve)                         // anything else that runs
		err := m.Run(ctx)
		return err
	}
	_ = run
}

// One of several replicas works.
func ExampleLeaderElection_options() {
	elected := func(config *rest.Config) *controller.Manager {
		m := controller.NewManager(config, controller.ManagerOptions{
			LeaderElection: &controller.LeaderElection{Name: "shop-leader"},
		})
		return m
	}
	_ = elected
}

// All replicas work, each on its share of the namespaces.
func ExampleSharding() {
	shared := func(config *rest.Config) *controller.Manager {
		m := controller.NewManager(config, controller.ManagerOptions{
			Sharding: &controller.Sharding{Name: "shop"},
		})
		return m
	}
	_ = shared
	_ = controller.Options{Sharded: true} // of each controller that is to be shared
}

// The caches of a replica hold what is in its slots.
func ExampleInShards() {
	shared := func(
		m *controller.Manager, client kubernetes.Interface, reconcile controller.ReconcileFunc[*corev1.ConfigMap],
	) {
		settings := controller.InShards(m, controller.InformerOptions{},
			func(namespace string) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
				return coreinformers.NewTypedConfigMapInformer(client, namespace, 0, nil)
			})
		controller.New(m, "settings", settings, reconcile, controller.Options{Sharded: true})
	}
	_ = shared
}

// A controller is fed by more than informers.
func ExampleController_AddSource() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	reconcile := func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		fmt.Println("reconcile", cm.Name)
		done()
		return controller.Result{}, nil
	}
	requests := func(context.Context) []controller.Request { return nil }
	messages := make(chan string)
	mapping := func(_ context.Context, message string) []controller.Request {
		return []controller.Request{{Namespace: "default", Name: message}}
	}
	c := controller.New(m, "app", exampleMaps(exampleMap("a")), reconcile, controller.Options{})
	c.AddSource("hourly", controller.Every(time.Hour, requests))              // at intervals
	c.AddSource("queue", controller.FromChannel(messages, mapping))           // from a channel
	c.Enqueue(ctx, "callback", controller.Request{Namespace: "b", Name: "a"}) // from anywhere, with a reason
	fmt.Println(m.Run(ctx))
	// Output:
	// reconcile a
	// <nil>
}

// A reconcile looks at what it has cost.
func ExampleAccountFrom() {
	look := func(ctx context.Context) {
		account, _ := controller.AccountFrom(ctx)
		if account.Total().WithoutEffect > 0 {
			klog.FromContext(ctx).Info("A write has changed nothing", "account", account)
		}
	}
	_ = look
}

// A round tripper below the manager's clients notes on whose behalf a request is made.
func ExampleWorkFrom() {
	name := func(req *http.Request) string {
		work, ok := controller.WorkFrom(req.Context())
		if !ok {
			return "nobody of the manager"
		}
		return work.Owner + " " + work.Item.String()
	}
	_ = name
}
