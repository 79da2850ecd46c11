package election

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

func (c *Candidate) trying() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried = true
}

// Watch watches the lease until ctx ends: a stand-by tries in the moment in which the lease becomes free
// (C16), and a leader that is not the holder any more learns it (C13). Without the permission to watch
// both happen as late as in client-go, at the next try.
func (c *Candidate) Watch(ctx context.Context) error {
	selected := func(options *metav1.ListOptions) {
		options.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, c.Lease.Name).String()
	}
	leases := c.Client.Leases(c.Lease.Namespace)
	informer := cache.NewSharedIndexInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			selected(&options)
			return leases.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			selected(&options)
			return leases.Watch(ctx, options)
		},
	}, &coordinationv1.Lease{}, 0, cache.Indexers{})
	told := false
	if err := informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, _ *cache.Reflector, err error) {
		if ctx.Err() == nil && apierrors.IsForbidden(err) && !told {
			told = true
			klog.FromContext(ctx).Info("The lease cannot be watched, so that hand-overs take up to the retry period: grant list and watch on it",
				"lease", c.Lease.String(), "err", err)
		}
	}); err != nil {
		return err
	}
	logger := klog.FromContext(ctx)
	if _, err := informer.AddEventHandlerWithOptions(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { c.observe(obj) },
		UpdateFunc: func(_, obj any) { c.observe(obj) },
		DeleteFunc: func(obj any) { c.observeDeleted(obj) },
	}, cache.HandlerOptions{Logger: &logger}); err != nil {
		return err
	}
	informer.RunWithContext(ctx)
	return nil
}

// observe looks at a state of the lease that the watch has brought. It may be older than what answers to
// our own requests have shown.
func (c *Candidate) observe(obj any) {
	lease, ok := obj.(*coordinationv1.Lease)
	if !ok {
		return
	}
	c.mu.Lock()
	l := c.current
	c.mu.Unlock()
	if holderOf(lease) == "" {
		c.pokeNow()
	}
	if l.leading() && l.older(lease) {
		l.judge(lease)
	}
}

func (c *Candidate) observeDeleted(obj any) {
	lease, ok := obj.(*coordinationv1.Lease)
	if !ok {
		// What is known is only that it was gone at some time. If it still is, the next renewal will show it.
		c.pokeNow()
		return
	}
	c.mu.Lock()
	l := c.current
	c.mu.Unlock()
	c.pokeNow()
	if l.leading() && l.older(lease) {
		l.end(cause.TermDeleted, "")
	}
}

// pokeNow has the campaign try at once. It has no effect on a leader.
func (c *Candidate) pokeNow() {
	select {
	case c.poke <- struct{}{}:
	default:
	}
}

// leading tells whether there is a term, for goroutines other than the elector's.
func (l *lock) leading() bool {
	if l == nil {
		return false
	}
	select {
	case <-l.elected:
		return true
	default:
		return false
	}
}

// older tells whether what we know of the lease is older than this state of it.
func (l *lock) older(than *coordinationv1.Lease) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lease == nil || l.lease.UID != than.UID {
		return false // another lease of the name: the next renewal will tell
	}
	order, err := resourceversion.CompareResourceVersion(l.lease.ResourceVersion, than.ResourceVersion)
	return err == nil && order < 0
}
