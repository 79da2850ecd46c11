package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/queue"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/tree"
	"github.com/lanyard-k8s/lanyard/controller/internal/trigger"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// Object is a pointer to an API type, such as *corev1.ConfigMap.
type Object interface {
	metav1.Object
	runtime.Object
	comparable
}

// Request names the object to reconcile.
type Request = types.NamespacedName

// ReconcileFunc brings the world closer to what the object asks for.
//
// ctx descends from the one given to [Manager.Run] and ends when the item is to stop; [context.Cause]
// says why. Pass it to every call. object is a copy, the caller's to change. At most one reconcile of
// an object runs at a time; events that arrive meanwhile lead to one more.
//
// What the return values cause:
//   - nil: the object is left alone until the next event, or until Result.RequeueAfter has passed.
//   - an error: it is logged and counted, and the object is tried again after a back-off that grows.
//   - an error from [Terminal]: it is logged and counted, and the object waits for the next event.
//   - an error once ctx has ended: the item was cancelled, not failed (C5); it is counted by cause. One
//     that was superseded is taken again at once (C10). One that used up its time (C9) has failed.
//   - a panic: as an error, with its stack (C11).
type ReconcileFunc[T Object] func(ctx context.Context, object T) (Result, error)

// Result is what a reconcile that succeeded asks for. The zero value asks for nothing.
type Result struct {
	// RequeueAfter has the object reconciled again after this time, if no event comes first.
	RequeueAfter time.Duration
}

// ControllerOptions configures a controller. The zero value works.
type ControllerOptions struct {
	// Workers is how many objects are reconciled at the same time. Default: 1.
	Workers int

	// Backoff delays an object's next try after an error. It belongs to this controller alone.
	// Default: 10 ms, doubled for each error in a row, at most five minutes.
	Backoff workqueue.TypedRateLimiter[Request]

	// Timeout is how long an item may take (C9). The reconcile function's context ends Reserve earlier,
	// with [cause.ItemTimeout]; a context for the rest of the time comes from [ReserveContext]. An item
	// that runs out of time is logged, counted apart and tried again like a failed one.
	// Default: five minutes.
	Timeout time.Duration

	// Reserve is the last part of Timeout, for example for a status that says what took so long.
	// Default: five seconds, but at most a quarter of Timeout.
	Reserve time.Duration

	// DrainTimeout overrides Options.DrainTimeout for this controller, when it is not zero. Negative:
	// its items are cancelled at once.
	DrainTimeout time.Duration

	// Supersede cancels a reconcile when its object's generation changes or the object is deleted
	// meanwhile, with [cause.Superseded] or [cause.ObjectDeleted], and takes the item again at once,
	// before any that wait (C10). The number is how often that may happen to an object in a row; then
	// it is left to finish. Default: 0, never.
	Supersede int

	// OnDeleted is called, in place of the reconcile function and with the same rules, when the object
	// is not in the cache. It is not needed where everything made for an object is owned by it.
	OnDeleted func(ctx context.Context, name Request) error

	// EveryReplica has the controller work on every replica, whether it leads or not. Without it a
	// controller works only while its process leads, if Options.LeaderElection is set.
	EveryReplica bool

	// SharedObjects hands the reconcile function the cached object itself, which it must not change,
	// instead of a copy (C24). In a test binary a change is found and is the reconcile's error.
	SharedObjects bool
}

// Controller reconciles the objects of one kind. [New] makes one.
type Controller[T Object] struct {
	manager   *Manager
	title     string
	kind      string // of T
	reconcile ReconcileFunc[T]
	options   ControllerOptions
	indexer   cache.Indexer
	sources   []source
	limits    work.Limits
	supersede supersedes
	order     *queue.Order[Request]
	queue     workqueue.TypedRateLimitingInterface[Request] // of the term, where the controller needs one
	term      *term.Term                                    // nil where it needs none
	stats     counters
	tracer    trace.Tracer      // nil without tracing
	consumer  *tracing.Consumer // as tracer
	triggers  *trigger.Memory   // nil without tracing and metrics
	refused   atomic.Int64      // items that came out of the queue after the end

	mu   sync.Mutex
	held workqueue.TypedRateLimitingInterface[Request] // queue, for those who only look at it
	over bool                                          // run has returned, and nothing is taken out of it any more
	// detectMutations is on in test binaries, because comparing costs more than the copy saves.
	detectMutations bool
}

// New adds a controller to the manager. informer feeds it the objects of its kind; for each that
// appears, changes or is deleted, reconcile is called, unless a filter says no. The name is for logs,
// metrics and reports. Mistakes are returned by [Manager.Run] before anything starts.
func New[T Object](m *Manager, name string, informer cache.TypedSharedIndexInformer[T], reconcile ReconcileFunc[T], options ControllerOptions, filters ...Filter[T]) *Controller[T] {
	options.Workers = cmp.Or(options.Workers, 1)
	if options.Backoff == nil {
		options.Backoff = workqueue.NewTypedItemExponentialFailureRateLimiter[Request](10*time.Millisecond, 5*time.Minute)
	}
	options.Timeout = cmp.Or(options.Timeout, 5*time.Minute)
	options.Reserve = cmp.Or(options.Reserve, min(5*time.Second, options.Timeout/4))
	options.DrainTimeout = cmp.Or(options.DrainTimeout, m.options.DrainTimeout)
	c := &Controller[T]{
		manager: m, title: name, kind: reflect.TypeFor[T]().Elem().Name(), reconcile: reconcile, options: options,
		limits:          work.Limits{Item: options.Timeout, Reserve: options.Reserve, External: m.options.CallTimeouts.External},
		detectMutations: options.SharedObjects && testing.Testing(),
	}
	c.supersede.limit = options.Supersede
	if provider := m.options.Telemetry.TracerProvider; provider != nil {
		c.tracer, c.consumer = provider.Tracer(scopeName), tracing.NewConsumer(m.annotations)
	}
	if c.tracer != nil || m.metrics != nil {
		c.triggers = &trigger.Memory{}
	}
	if err := c.validate(informer == nil); err != nil {
		m.mistake(err)
		return c
	}
	c.indexer = informer.GetIndexer()
	addSource(c, informer, nil, filters, c.supersedeBy)
	m.addController(c)
	return c
}

func (c *Controller[T]) validate(noInformer bool) error {
	var errs []error
	if c.title == "" {
		errs = append(errs, errors.New("it has no name"))
	}
	if noInformer {
		errs = append(errs, errors.New("its informer is nil"))
	}
	if c.reconcile == nil {
		errs = append(errs, errors.New("its reconcile function is nil"))
	}
	if c.options.Workers < 0 {
		errs = append(errs, fmt.Errorf("it has %d workers", c.options.Workers))
	}
	if c.options.Reserve < 0 || c.options.Timeout <= c.options.Reserve {
		errs = append(errs, fmt.Errorf("its items have %v, of which %v are reserved: nothing is left", c.options.Timeout, c.options.Reserve))
	}
	if limit := c.manager.options.ShutdownTimeout; c.options.DrainTimeout >= limit {
		errs = append(errs, fmt.Errorf("its items have %v to finish, but Run waits only %v for everything: raise Options.ShutdownTimeout",
			c.options.DrainTimeout, limit))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("controller %q: %w", c.title, errors.Join(errs...))
}

// Stats returns what the controller has done so far.
func (c *Controller[T]) Stats() Stats { return c.stats.snapshot() }

func (c *Controller[T]) name() string { return c.title }
func (c *Controller[T]) drains() bool { return c.options.DrainTimeout > 0 }
func (c *Controller[T]) leaderBound() bool {
	return c.manager.candidate != nil && !c.options.EveryReplica
}
func (c *Controller[T]) workers() int { return c.options.Workers }

// queued is how many objects wait to be reconciled; after the end, how many were never started.
func (c *Controller[T]) queued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		return 0 // it has not begun
	}
	return c.held.Len() + int(c.refused.Load())
}

// prepare makes the queue, which has goroutines and so cannot be made before Run. Each term has its own:
// what was queued for one is not handed out in the next, which hears of every object anew.
func (c *Controller[T]) prepare() {
	c.order = &queue.Order[Request]{}
	c.queue = workqueue.NewTypedRateLimitingQueueWithConfig(c.options.Backoff, workqueue.TypedRateLimitingQueueConfig[Request]{
		DelayingQueue: workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[Request]{
			Queue: workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[Request]{Queue: c.order}),
		}),
	})
	c.refused.Store(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held, c.over = c.queue, false
}

// finished forgets what was queued when run returns, so that a former leader does not wait with it.
func (c *Controller[T]) finished() {
	c.queue.ShutDown()
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	if c.triggers != nil {
		c.triggers.Clear()
	}
}

// warm waits until the caches are full, which a stand-by's are before it campaigns (C16).
func (c *Controller[T]) warm(ctx context.Context) error {
	informers := make([]*informer, len(c.sources))
	for i, s := range c.sources {
		informers[i] = s.informer
	}
	return c.started(awaitSync(ctx, c.manager.options.SyncTimeout, informers, nil))
}

func (c *Controller[T]) started(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("controller %q was not started: %w", c.title, err)
}

// run feeds the queue, waits for the caches, and works until ctx ends, which is the context of a term where
// the controller needs one. Items may go on for the drain timeout after that, unless hurry ends or the term
// is lost. It returns when its workers have.
func (c *Controller[T]) run(ctx, hurry context.Context, needed *term.Term) error {
	defer c.finished()
	ctx = klog.NewContext(ctx, klog.LoggerWithValues(klog.FromContext(ctx), "controller", c.title))
	handlers, err := c.fill(ctx)
	defer c.unfill(needed, handlers)
	if err != nil {
		if ctx.Err() != nil {
			return nil // what failed did so because of the end, such as an informer that has stopped already
		}
		return err
	}
	klog.FromContext(ctx).V(1).Info("Controller started", "workers", c.options.Workers)
	c.term = needed
	var lost context.Context
	if needed != nil {
		lost = needed.Lost()
	} else {
		c.manager.readiness.Add(1)
		defer c.manager.readiness.Add(-1)
	}
	items, release := tree.Linger(ctx, hurry, lost, c.options.DrainTimeout)
	defer release()
	c.work(ctx, items)
	return nil
}

// fill starts the sources and waits until their caches are full and the queue has heard of all of it.
func (c *Controller[T]) fill(ctx context.Context) ([]cache.ResourceEventHandlerRegistration, error) {
	informers := make([]*informer, len(c.sources))
	handlers := make([]cache.ResourceEventHandlerRegistration, 0, len(c.sources))
	for i, s := range c.sources {
		handler, err := s.start(ctx)
		if err != nil {
			return handlers, fmt.Errorf("controller %q: %s: %w", c.title, s.informer.name, err)
		}
		informers[i] = s.informer
		handlers = append(handlers, handler)
	}
	return handlers, c.started(awaitSync(ctx, c.manager.options.SyncTimeout, informers, handlers))
}

// unfill takes the handlers of a term away again, so that the informers can go on without them, and waits
// until none is being called. What needs no term ends together with the informers.
func (c *Controller[T]) unfill(needed *term.Term, handlers []cache.ResourceEventHandlerRegistration) {
	if needed == nil {
		return
	}
	for i, handler := range handlers {
		_ = cache.ShutDownEventHandler(c.sources[i].informer.SharedIndexInformer, handler) // fails only for handlers of another informer
	}
}
