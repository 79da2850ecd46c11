// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"time"

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
		AddFunc:    func(obj any) { c.watched(ctx, obj) },
		UpdateFunc: func(_, obj any) { c.watched(ctx, obj) },
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

// notice is the time that a holder has to hear that its lease was emptied or deleted by somebody else. It
// hears of it by its own watch, at about the same time as the candidates do.
const notice = 200 * time.Millisecond

// retryWhenFree makes a campaign try again when the lease, which nobody holds any more, may be taken. A holder
// that releases the lease takes its process out of it, and has stopped before. If a process is still named,
// somebody else has emptied or deleted the lease, and the holder may not know yet.
func (c *Candidate) retryWhenFree(free *coordinationv1.Lease) {
	if free.Annotations[ProcessAnnotation] == "" {
		c.state.retryNow()
		return
	}
	time.AfterFunc(notice, c.state.retryNow)
}

func (c *Candidate) watched(ctx context.Context, obj any) {
	if lease, ok := obj.(*coordinationv1.Lease); ok {
		c.Watched(ctx, lease)
	}
}

// Watched handles what a watch shows of the lease. Call it in place of WatchLease if there is a watch already.
func (c *Candidate) Watched(ctx context.Context, lease *coordinationv1.Lease) {
	a := c.lastAttempt()
	if holderOf(lease) == "" {
		c.retryWhenFree(lease)
	}
	if a == nil {
		return
	}
	if a.isNewer(lease) {
		c.follower.follow(ctx, lease)
	}
	a.watched(lease)
}

func (c *Candidate) watchedDeleted(obj any) {
	lease, ok := obj.(*coordinationv1.Lease)
	if !ok {
		// It says only that the lease was gone at some time. If it still is, the next renewal shows it.
		c.state.retryNow()
		return
	}
	c.WatchedDeleted(lease)
}

// WatchedDeleted handles the deletion of the lease, as Watched does.
func (c *Candidate) WatchedDeleted(lease *coordinationv1.Lease) {
	a := c.lastAttempt()
	c.retryWhenFree(lease)
	if a != nil {
		a.watchedDeleted(lease)
	}
}
