// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// WatchLease watches the lease until ctx ends. With it a campaign tries in the moment in which the
// lease becomes free, and a term ends in the moment in which the lease shows another holder.
// Without it, or without the permission to watch, both happen at the elector's next request. It
// returns an error only if it could not begin, and nil when ctx has ended.
func (c *Candidate) WatchLease(ctx context.Context) error {
	informer := cache.NewSharedIndexInformer(
		c.listWatch(), &coordinationv1.Lease{}, 0, cache.Indexers{})
	if err := informer.SetWatchErrorHandlerWithContext(c.logForbiddenOnce()); err != nil {
		return err
	}
	logger := klog.FromContext(ctx)
	if _, err := informer.AddEventHandlerWithOptions(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { c.watched(obj) },
		UpdateFunc: func(_, obj any) { c.watched(obj) },
		DeleteFunc: func(obj any) { c.watchedDeleted(obj) },
	}, cache.HandlerOptions{Logger: &logger}); err != nil {
		return err
	}
	informer.RunWithContext(ctx)
	return nil
}

// listWatch lists and watches the one lease.
func (c *Candidate) listWatch() *cache.ListWatch {
	leases := c.config.Client.Leases(c.config.Lease.Namespace)
	name := fields.OneTermEqualSelector(metav1.ObjectNameField, c.config.Lease.Name).String()
	return &cache.ListWatch{
		ListWithContextFunc: func(
			ctx context.Context, options metav1.ListOptions,
		) (runtime.Object, error) {
			options.FieldSelector = name
			return leases.List(ctx, options)
		},
		WatchFuncWithContext: func(
			ctx context.Context, options metav1.ListOptions,
		) (watch.Interface, error) {
			options.FieldSelector = name
			return leases.Watch(ctx, options)
		},
	}
}

// logForbiddenOnce returns a handler that logs the first error for a permission that is missing.
func (c *Candidate) logForbiddenOnce() cache.WatchErrorHandlerWithContext {
	logged := false
	return func(ctx context.Context, _ *cache.Reflector, err error) {
		if logged || ctx.Err() != nil || !apierrors.IsForbidden(err) {
			return
		}
		logged = true
		klog.FromContext(ctx).Info("The lease cannot be watched, so that hand-overs take "+
			"up to the retry period: grant list and watch on it",
			"lease", c.config.Lease.String(), "err", err)
	}
}

func (c *Candidate) watched(obj any) {
	lease, ok := obj.(*coordinationv1.Lease)
	if !ok {
		return
	}
	a := c.lastAttempt()
	if holderOf(lease) == "" {
		c.state.retryNow()
	}
	if a != nil {
		a.watched(lease)
	}
}

func (c *Candidate) watchedDeleted(obj any) {
	a := c.lastAttempt()
	c.state.retryNow()
	// Anything else than a lease says only that the lease was gone at some time. If it still is,
	// the next renewal shows it.
	if lease, ok := obj.(*coordinationv1.Lease); ok && a != nil {
		a.watchedDeleted(lease)
	}
}
