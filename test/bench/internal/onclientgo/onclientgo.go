// SPDX-License-Identifier: Apache-2.0

// Package onclientgo is the program under test on bare client-go, written as kubernetes/sample-controller is: informer,
// workqueue and lister. It does not log each item, as sample-controller does, so that what the others are
// compared with is the least that it takes.
package onclientgo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

// Configs are what the clients are made from. Clients of one config share a connection, as client-go has it.
type Configs struct {
	Watches, Calls, Lease *rest.Config
}

type controller struct {
	resource  *resource
	workqueue workqueue.TypedRateLimitingInterface[cache.ObjectName]
	live      bool
	probe     *program.Probe
}

// Run runs the program.
func Run(ctx context.Context, configs Configs, s *program.Settings, p *program.Probe) error {
	res, err := newResource(configs, s)
	if err != nil {
		return err
	}
	c := &controller{resource: res, live: s.Live, probe: p, workqueue: workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedMaxOfRateLimiter(
			workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](5*time.Millisecond, 1000*time.Second),
			&workqueue.TypedBucketRateLimiter[cache.ObjectName]{Limiter: rate.NewLimiter(rate.Limit(50), 300)},
		))}
	if _, err := res.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    c.enqueue,
		UpdateFunc: func(_, after any) { c.enqueue(after) },
		DeleteFunc: c.enqueue,
	}); err != nil {
		return err
	}
	res.start(ctx)
	defer res.stop()
	if s.Elect {
		return lead(ctx, configs.Lease, s, func(ctx context.Context) error { return c.Run(ctx, s.Workers) })
	}
	return c.Run(ctx, s.Workers)
}

func (c *controller) enqueue(obj any) {
	ref, err := cache.DeletionHandlingObjectToName(obj)
	if err != nil {
		utilruntime.HandleError(err)
		return
	}
	c.workqueue.Add(ref)
}

// Run is sample-controller's, except that it waits for its workers, and for the cache without polling.
func (c *controller) Run(ctx context.Context, workers int) error {
	defer utilruntime.HandleCrashWithContext(ctx)
	if ok := cache.WaitFor(ctx, "", c.resource.informer.HasSyncedChecker()); !ok {
		return errors.New("failed to wait for caches to sync")
	}
	var running sync.WaitGroup
	for range workers {
		running.Go(func() { wait.UntilWithContext(ctx, c.runWorker, time.Second) })
	}
	<-ctx.Done()
	c.workqueue.ShutDown()
	running.Wait()
	return nil
}

func (c *controller) runWorker(ctx context.Context) {
	for c.processNextWorkItem(ctx) {
	}
}

func (c *controller) processNextWorkItem(ctx context.Context) bool {
	ref, shutdown := c.workqueue.Get()
	if shutdown {
		return false
	}
	defer c.workqueue.Done(ref)
	err := c.syncHandler(ctx, ref)
	if err == nil {
		c.workqueue.Forget(ref)
		return true
	}
	utilruntime.HandleErrorWithContext(ctx, err, "Error syncing; requeuing for later retry", "objectReference", ref)
	c.workqueue.AddRateLimited(ref)
	return true
}

func (c *controller) syncHandler(ctx context.Context, ref cache.ObjectName) error {
	object, err := c.resource.get(ref)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", ref, err)
	}
	token := c.probe.Seen(object)
	if token != "" {
		return c.probe.Wrote(c.resource.write(ctx, object, token))
	}
	if c.live {
		returned := c.probe.Calling()
		return returned(c.resource.live(ctx, ref))
	}
	return c.probe.Work(ctx)
}
