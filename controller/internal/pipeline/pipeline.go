// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/tree"
)

// Pipeline is one controller. It runs in sessions: one for the whole run of a manager, or one for
// each term of leadership. What belongs to a session is made when it begins and dropped when it
// ends.
type Pipeline struct {
	config  Config
	sources []Source

	session atomic.Pointer[Queue] // the queue of the session; nil when none runs
	left    atomic.Int64          // the number of items that waited when the last session ended
	serving atomic.Bool
}

// New makes a pipeline. Sources are added before its first session.
func New(config Config) *Pipeline { return &Pipeline{config: config} }

// AddSource adds a source.
func (p *Pipeline) AddSource(source Source) { p.sources = append(p.sources, source) }

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

// Backlog returns the number of items that wait, and for how long the one has waited that is ready
// for longest. It is zero when no session runs: what a session left over waits for nobody.
func (p *Pipeline) Backlog(now time.Time) (depth int, oldest time.Duration) {
	queue := p.session.Load()
	if queue == nil {
		return 0, 0
	}
	return queue.Len(), queue.reasons.Oldest(now)
}

// Warm waits until the sources' caches are full. A stand-by does that before it campaigns.
func (p *Pipeline) Warm(ctx context.Context) error {
	return p.notStarted(awaitSync(ctx, p.config.SyncTimeout, p.sources, nil))
}

func (p *Pipeline) notStarted(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("controller %q was not started: %w", p.config.Name, err)
}

// Run is one session: it starts the sources, waits for their caches, and reconciles until ctx ends.
// needed is the term that the items' writes need, whose context ctx is; nil if they need none.
// Items in flight at the end may have the drain timeout to finish, unless hurry is closed or the
// term is lost. It returns when all workers have returned.
func (p *Pipeline) Run(ctx context.Context, needed *term.Term, hurry <-chan struct{}) error {
	logger := klog.LoggerWithValues(klog.FromContext(ctx), "controller", p.config.Name)
	ctx = klog.NewContext(ctx, logger)
	queue := newQueue(&p.config)
	p.session.Store(queue)
	defer p.end(queue)
	feeds, err := p.feed(ctx, queue)
	if needed != nil {
		// The informers go on without the feeds. Without a term they end together.
		defer stop(feeds)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil // the end is the reason, for example because an informer has stopped already
		}
		return err
	}
	logger.V(1).Info("Controller started", "workers", p.config.Workers)
	p.serving.Store(true)
	defer p.serving.Store(false)
	var lost context.Context
	if needed != nil {
		lost = needed.Lost()
	}
	items, release := tree.Drain(ctx, lost, hurry, p.config.DrainTimeout)
	defer release()
	p.work(ctx, items, &worker{config: &p.config, queue: queue, term: needed})
	return nil
}

// feed starts the sources and waits until the queue was told of all that is in their caches.
func (p *Pipeline) feed(ctx context.Context, queue *Queue) ([]Feed, error) {
	feeds := make([]Feed, 0, len(p.sources))
	for _, source := range p.sources {
		feed, err := source.Start(ctx, queue)
		if err != nil {
			return feeds, fmt.Errorf("controller %q: %s: %w", p.config.Name, source.Name(), err)
		}
		feeds = append(feeds, feed)
	}
	return feeds, p.notStarted(awaitSync(ctx, p.config.SyncTimeout, p.sources, feeds))
}

func stop(feeds []Feed) {
	for _, feed := range feeds {
		feed.Stop()
	}
}

// work runs workers like the given one until ctx ends and they have returned.
func (p *Pipeline) work(ctx, items context.Context, like *worker) {
	stop := context.AfterFunc(ctx, like.queue.items.ShutDown) // wakes workers that wait for an item
	defer stop()
	var workers sync.WaitGroup
	for range p.config.Workers {
		workers.Go(func() {
			w := *like
			w.run(ctx, items)
		})
	}
	workers.Wait()
}

// end drops the session's queue.
func (p *Pipeline) end(queue *Queue) {
	queue.items.ShutDown()
	p.left.Store(int64(queue.Len()))
	p.session.Store(nil)
	p.config.Observers.QueueCleared(p.config.Name)
}
