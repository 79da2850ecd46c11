// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/tree"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Pipeline is one controller. It runs in sessions: one for the whole run of a manager, or one for
// each term of leadership. What belongs to a session is made when it begins and dropped when it
// ends.
type Pipeline struct {
	config  Config
	sources sources

	session atomic.Pointer[Queue] // the queue of the session; nil when none runs
	left    atomic.Int64          // the number of items that waited when the last session ended
	serving atomic.Bool
	starter starter
}

// New makes a pipeline.
func New(config Config) *Pipeline {
	p := &Pipeline{config: config}
	p.starter.config = &p.config
	p.starter.sources = &p.sources
	return p
}

// Config returns what does not change.
func (p *Pipeline) Config() *Config { return &p.config }

// Serving reports whether a session's workers take items.
func (p *Pipeline) Serving() bool { return p.serving.Load() }

// Queued returns the number of items that wait. After a session it is the number of those that were
// not started.
func (p *Pipeline) Queued() int {
	if queue := p.session.Load(); queue != nil {
		return queue.Len()
	}
	return int(p.left.Load())
}

// AddSource adds a source. If a session runs, the source feeds its queue at once.
func (p *Pipeline) AddSource(source Source) error {
	if err := p.sources.add(source); err != nil {
		return fmt.Errorf("controller %q: %w", p.config.Name, err)
	}
	return nil
}

// RemoveSource removes a source. It returns when the source does not feed any queue.
func (p *Pipeline) RemoveSource(source Source) { p.sources.remove(source) }

// Stalled returns an error that names the functions of the user which have been running for longer
// than a time, and meanwhile keep events from the queue, or the feeds from stopping.
func (p *Pipeline) Stalled(now time.Time, after time.Duration) error {
	if err := p.sources.stalled(now, after); err != nil {
		return fmt.Errorf("controller %q: %w", p.config.Name, err)
	}
	return nil
}

// Enqueue adds items for a reason that is no source's. When no session runs it does nothing: a session
// begins with all objects. lowPriority lets items that have changed come first.
func (p *Pipeline) Enqueue(ctx context.Context, e *observe.Enqueue, lowPriority bool) {
	if queue := p.session.Load(); queue != nil {
		queue.Add(ctx, e, lowPriority)
	}
}

// Cancel cancels the reconciles of those items that match, if [Config.Cancellable] is set.
func (p *Pipeline) Cancel(match func(reconcile.Request) bool, why error) {
	if queue := p.session.Load(); queue != nil {
		queue.running.cancel(match, why)
	}
}

// Backlog is what waits in a queue.
type Backlog struct {
	Depth int // the number of items that wait
	// Oldest is the item that has been ready for longest, and Waited how long. Both are zero if no
	// item waits.
	Oldest reconcile.Request
	Waited time.Duration
}

// Backlog returns what waits now. It is empty when no session runs: what a session left over waits
// for nobody.
func (p *Pipeline) Backlog(now time.Time) Backlog {
	queue := p.session.Load()
	if queue == nil {
		return Backlog{}
	}
	oldest, waited := queue.reasons.Oldest(now)
	return Backlog{Depth: queue.Len(), Oldest: oldest, Waited: waited}
}

// GoOnTrying makes sessions that cannot start go on trying, because others must not end with them. A
// pipeline of which a session has started does so too. Otherwise the session fails after the sync
// timeout.
func (p *Pipeline) GoOnTrying() { p.starter.patient.Store(true) }

// Warm waits until the sources' caches are full. A stand-by does that before it campaigns. It does not
// campaign later because of a pipeline that was added only since it runs.
func (p *Pipeline) Warm(ctx context.Context) error { return p.starter.warm(ctx) }

// Waits returns what keeps a session from starting; nil if none waits. overdue reports whether it has
// waited for longer than the sync timeout.
func (p *Pipeline) Waits() (why error, overdue bool) { return p.starter.waits() }

// Run is one session: it starts the sources, waits for their caches, and reconciles until ctx ends.
// needed is the term that the items' writes need, whose context ctx is; nil if they need none.
// Items in flight at the end may have the drain timeout to finish, unless hurry is closed or the
// term is lost. It returns when all workers have returned.
func (p *Pipeline) Run(ctx context.Context, needed *term.Term, hurry <-chan struct{}) error {
	logger := klog.LoggerWithValues(klog.FromContext(ctx), "controller", p.config.Name)
	ctx = klog.NewContext(ctx, logger)
	queue := newQueue(&p.config, logger)
	p.session.Store(queue)
	defer p.end(queue)
	defer p.sources.end()
	feedCtx, endFeeds := context.WithCancelCause(ctx)
	defer endFeeds(nil)
	err := p.feed(feedCtx, queue)
	if err != nil {
		if ctx.Err() != nil {
			return nil // the end is the reason, for example because an informer has stopped already
		}
		endFeeds(err)
		p.sources.leaveStalled(time.Now())
		return err
	}
	queue.rounds.fill()
	logger.V(p.starter.begun()).Info("Controller started", "kind", p.config.Kind.String(), "workers", p.config.Workers)
	p.serving.Store(true)
	defer p.serving.Store(false)
	var lost context.Context
	if needed != nil {
		lost = needed.Lost()
	}
	items, release := tree.Drain(ctx, lost, hurry, p.config.DrainTimeout)
	defer release()
	all := &scopes{
		all: scope{begin: ctx, items: items, term: needed}, shards: p.config.Shards, hurry: hurry,
		grace: p.config.DrainTimeout, slots: map[Slot]*slotScope{},
	}
	defer all.close()
	p.work(ctx, &worker{config: &p.config, queue: queue, scopes: all})
	return nil
}

// feed starts the sources of a session and waits until its queue was told of all that is in their
// caches.
func (p *Pipeline) feed(ctx context.Context, queue *Queue) error {
	p.config.Caches(ctx) // returns when the factories have told what was asked of them
	err := p.sources.begin(func(source Source) (Feed, error) { return source.Start(ctx, queue) })
	if err != nil {
		return fmt.Errorf("controller %q: %w", p.config.Name, err)
	}
	return p.starter.awaitFeeds(ctx)
}

// work runs workers like the given one until ctx ends and they have returned.
func (p *Pipeline) work(ctx context.Context, like *worker) {
	stop := context.AfterFunc(ctx, like.queue.items.ShutDown) // wakes workers that wait for an item
	defer stop()
	var workers sync.WaitGroup
	for range p.config.Workers {
		workers.Go(func() {
			w := *like
			w.run(ctx)
		})
	}
	workers.Wait()
}

// end drops the session's queue.
func (p *Pipeline) end(queue *Queue) {
	queue.close()
	p.left.Store(int64(queue.Len()))
	p.session.Store(nil)
	p.config.Observers.QueueCleared(p.config.Name)
}
