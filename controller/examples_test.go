// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// exampleManager makes a manager. Examples make no calls, so that they need no API server.
func exampleManager(options controller.ManagerOptions) *controller.Manager {
	return controller.NewManager(&rest.Config{Host: "http://unused.invalid"}, options)
}

// exampleMaps stands for an informer from a generated factory.
func exampleMaps(maps ...*corev1.ConfigMap) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
	source := &cache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
			list := &corev1.ConfigMapList{}
			for _, object := range maps {
				list.Items = append(list.Items, *object)
			}
			return list, nil
		},
		WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) {
			return watch.NewFake(), nil
		},
	}
	shared := cache.NewSharedIndexInformer(noWatchList{source}, &corev1.ConfigMap{}, 0, cache.Indexers{})
	return controller.Standalone[*corev1.ConfigMap](shared, controller.InformerOptions{})
}

func exampleMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
}

// silent returns a context that ends at done, and has no log.
func silent() (ctx context.Context, done context.CancelFunc) {
	return context.WithCancel(klog.NewContext(context.Background(), klog.Logger{}))
}

// A controller calls its function for each object that there is.
func ExampleNew() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	maps := exampleMaps(exampleMap("a"))
	reconcile := func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		fmt.Println("hello", cm.Name)
		done() // this program has seen enough
		return controller.Result{}, nil
	}
	controller.New(m, "hello", maps, reconcile, controller.Options{Workers: 4})
	fmt.Println(m.Run(ctx))
	// Output:
	// hello a
	// <nil>
}

// An owned object wakes its owner.
func ExampleOwns() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	owned := exampleMap("owned")
	owned.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: "v1", Kind: "ConfigMap", Name: "owner", Controller: ptr.To(true),
	}}
	reconcile := func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		fmt.Println("reconcile", cm.Name)
		done()
		return controller.Result{}, nil
	}
	c := controller.New(m, "owners", exampleMaps(exampleMap("owner")), reconcile, controller.Options{},
		controller.WithKind[*corev1.ConfigMap](schema.GroupKind{Kind: "ConfigMap"}))
	controller.Owns(c, exampleMaps(owned))
	fmt.Println(m.Run(ctx))
	// Output:
	// reconcile owner
	// <nil>
}

// An event of another object wakes the objects that a mapping returns.
func ExampleWatches() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	reconcile := func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		fmt.Println("reconcile", cm.Name)
		done()
		return controller.Result{}, nil
	}
	c := controller.New(m, "settings", exampleMaps(exampleMap("app")), reconcile, controller.Options{})
	toApp := func(_ context.Context, settings *corev1.ConfigMap) []controller.Request {
		return []controller.Request{{Namespace: settings.Namespace, Name: settings.Data["for"]}}
	}
	settings := exampleMap("settings")
	settings.Data = map[string]string{"for": "app"}
	controller.Watches(c, exampleMaps(settings), toApp)
	fmt.Println(m.Run(ctx))
	// Output:
	// reconcile app
	// <nil>
}

// A filter drops events that need no reconcile.
func ExampleWithFilter() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	reconcile := func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		fmt.Println("reconcile", cm.Name)
		done()
		return controller.Result{}, nil
	}
	labelled := func(_ context.Context, event controller.Event[*corev1.ConfigMap]) bool {
		return event.New != nil && event.New.Labels["mine"] == "true"
	}
	mine := exampleMap("mine")
	mine.Labels = map[string]string{"mine": "true"}
	controller.New(m, "mine", exampleMaps(exampleMap("other"), mine), reconcile, controller.Options{},
		controller.WithFilter(labelled))
	fmt.Println(m.Run(ctx))
	// Output:
	// reconcile mine
	// <nil>
}

// A reconcile that has run out of time uses its reserve to say so.
func ExampleReserveContext() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	reconcile := func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		<-ctx.Done() // a call that takes too long
		if errors.Is(context.Cause(ctx), cause.ItemTimeout) {
			ctx, cancel := controller.ReserveContext(ctx)
			defer cancel()
			fmt.Println("write a status for", cm.Name, "with a context that is alive:", ctx.Err() == nil)
		}
		done()
		return controller.Result{}, ctx.Err()
	}
	controller.New(m, "slow", exampleMaps(exampleMap("a")), reconcile,
		controller.Options{Timeout: time.Second, Reserve: 900 * time.Millisecond})
	fmt.Println(m.Run(ctx))
	// Output:
	// write a status for a with a context that is alive: true
	// <nil>
}

// One call to an external system has a time limit of its own.
func ExampleExternalContext() {
	m := exampleManager(controller.ManagerOptions{
		CallTimeouts: controller.CallTimeouts{External: 10 * time.Millisecond},
	})
	ctx, done := silent()
	reconcile := func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		external, cancel := controller.ExternalContext(ctx)
		defer cancel()
		<-external.Done() // a cloud that does not answer
		fmt.Println(context.Cause(external), "- the reconcile goes on:", ctx.Err() == nil)
		done()
		return controller.Result{}, nil
	}
	controller.New(m, "cloud", exampleMaps(exampleMap("a")), reconcile, controller.Options{})
	fmt.Println(m.Run(ctx))
	// Output:
	// the call has used up its time - the reconcile goes on: true
	// <nil>
}

// The cause says why a reconcile was cancelled.
func ExampleManager_Run() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, end := context.WithCancelCause(klog.NewContext(context.Background(), klog.Logger{}))
	reconcile := func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
		end(errors.New("enough for today"))
		<-ctx.Done()
		fmt.Println(context.Cause(ctx))
		fmt.Println(errors.Is(context.Cause(ctx), cause.Shutdown))
		return controller.Result{}, ctx.Err()
	}
	controller.New(m, "c", exampleMaps(exampleMap("a")), reconcile, controller.Options{})
	fmt.Println(m.Run(ctx), len(m.Report().Cancelled))
	// Output:
	// the manager is shutting down: enough for today
	// true
	// <nil> 1
}

// Mistakes in the set-up are returned by Run, all at once, before anything starts.
func ExampleLeaderElection() {
	m := exampleManager(controller.ManagerOptions{LeaderElection: &controller.LeaderElection{
		Namespace: "shop", Name: "shop-leader", Identity: "shop-7d9f", RenewDeadline: 14 * time.Second,
	}})
	m.AddLeaderRunnable("only the leader", func(ctx context.Context) error {
		term, _ := controller.TermFrom(ctx)
		fmt.Println("leads in the term", term.Number)
		<-ctx.Done()
		return nil
	})
	ctx, done := silent()
	defer done()
	fmt.Println(m.Run(ctx) != nil)
	// Output:
	// true
}

// A second signal during a drain cancels it, because the context knows the manager.
func ExampleSignalContext() {
	m := exampleManager(controller.ManagerOptions{DrainTimeout: 10 * time.Second})
	ctx, stop := controller.SignalContext(context.Background(), m)
	defer stop()
	fmt.Println(ctx.Err())
	// Output:
	// <nil>
}

// An error that another try cannot mend is not tried again.
func ExampleTerminalError() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	reconcile := func(_ context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
		time.AfterFunc(100*time.Millisecond, done)
		return controller.Result{}, controller.TerminalError(errors.New("the spec is invalid"))
	}
	c := controller.New(m, "c", exampleMaps(exampleMap("a")), reconcile, controller.Options{})
	fmt.Println(m.Run(ctx), c.Stats().Terminal)
	// Output:
	// <nil> 1
}

// After three tries the object waits for an event.
func ExampleAttempt() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	reconcile := func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
		err := errors.New("the external system does not answer")
		fmt.Println("attempt", controller.Attempt(ctx))
		if controller.Attempt(ctx) < 3 {
			return controller.Result{}, err
		}
		done()
		return controller.Result{}, controller.TerminalError(err)
	}
	controller.New(m, "stubborn", exampleMaps(exampleMap("a")), reconcile, controller.Options{})
	fmt.Println(m.Run(ctx))
	// Output:
	// attempt 1
	// attempt 2
	// attempt 3
	// <nil>
}

// Objects that are being deleted come first. Among these, and among the others, namespaces take turns.
func ExampleByNamespace() {
	m := exampleManager(controller.ManagerOptions{})
	ctx, done := silent()
	maps := exampleMaps(exampleMap("a"))
	urgent := func(request controller.Request) int {
		cached, exists, err := maps.GetStore().GetByKey(request.String()) // a lister does the same
		if err != nil || !exists || cached.(*corev1.ConfigMap).DeletionTimestamp == nil {
			return 0
		}
		return 1
	}
	reconcile := func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		fmt.Println("reconcile", cm.Name)
		done()
		return controller.Result{}, nil
	}
	controller.New(m, "fair", maps, reconcile, controller.Options{
		FairBy: controller.ByNamespace, Priority: urgent,
	})
	fmt.Println(m.Run(ctx))
	// Output:
	// reconcile a
	// <nil>
}

// A controller that is woken by changes of the spec or of the labels, of objects of one team.
func ExampleAnd() {
	passes := controller.And(
		controller.Or(controller.GenerationChanged[*corev1.ConfigMap], controller.LabelsChanged[*corev1.ConfigMap]),
		controller.Matches(func(cm *corev1.ConfigMap) bool { return cm.Labels["team"] == "blue" }),
	)
	before, after := exampleMap("a"), exampleMap("a")
	before.Generation, after.Generation = 1, 1
	before.ResourceVersion, after.ResourceVersion = "1", "2"
	before.Labels = map[string]string{"team": "blue"}
	event := controller.Event[*corev1.ConfigMap]{Type: controller.Updated, Old: before, New: after}
	fmt.Println("leaves the team:", passes(context.Background(), event))
	after.Labels = before.Labels
	after.Annotations = map[string]string{"note": "changed"}
	fmt.Println("gets a note:", passes(context.Background(), event))
	// Output:
	// leaves the team: true
	// gets a note: false
}

// Not(GenerationChanged) passes changes of the status, and still what must not be missed.
func ExampleNot() {
	passes := controller.Not(controller.GenerationChanged[*corev1.ConfigMap])
	before, after := exampleMap("a"), exampleMap("a")
	before.Generation, after.Generation = 1, 2
	before.ResourceVersion, after.ResourceVersion = "1", "2"
	event := controller.Event[*corev1.ConfigMap]{Type: controller.Updated, Old: before, New: after}
	fmt.Println("another spec:", passes(context.Background(), event))
	after.UID = "another"
	fmt.Println("another object of that name:", passes(context.Background(), event))
	// Output:
	// another spec: false
	// another object of that name: true
}
