// SPDX-License-Identifier: Apache-2.0

package leading

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// releaseTimeout bounds the release of a Lease, with all its attempts. Without a release others
// wait until the Lease expires.
const releaseTimeout = 5 * time.Second

// Leader leads in the terms of one Lease. It is a [lifecycle.Lease].
type Leader struct {
	config Config
	run    *lifecycle.Run // set by Join
	warm   atomic.Bool

	mu      sync.Mutex
	renewal *election.Renewal // of the term that this process is in
	serving *service          // of that term, while it works
	last    *report.Term
}

var _ lifecycle.Lease = (*Leader)(nil)

// New makes a leader, which does nothing yet.
func New(config Config) *Leader { return &Leader{config: config} }

// Join makes the leader a part of a run, in which it starts the work of its terms.
func (l *Leader) Join(run *lifecycle.Run) { l.run = run }

// Unit identifies the leader in reports.
func (l *Leader) Unit() *work.Unit {
	return &work.Unit{Kind: report.Leadership, Owner: l.config.Lease.String()}
}

// Warm reports whether the caches of the workers are full.
func (l *Leader) Warm() bool { return l.warm.Load() }

// Current returns the term in which this process leads now, if it does.
func (l *Leader) Current() (term cause.Term, leads bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewal == nil || l.renewal.Term.Check() != nil {
		return cause.Term{}, false
	}
	return l.renewal.Term.Config.Term, true
}

// Left returns how long the current term is valid if it is not renewed. It is zero without one.
func (l *Leader) Left() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewal == nil {
		return 0
	}
	return max(0, l.renewal.Term.Remaining())
}

// Last returns the report of the last term that ended before the manager did, if there was one.
func (l *Leader) Last() (last report.Term, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		return report.Term{}, false
	}
	return *l.last, true
}

// Run campaigns and works, term after term, until ctx ends. When it returns, nothing needs the last
// term any more; but the Lease is still held, because its release has a place of its own in the
// order of the end.
func (l *Leader) Run(ctx context.Context) error {
	for _, worker := range l.config.Workers() {
		if err := worker.Warm(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	l.warm.Store(true)
	defer l.warm.Store(false)
	for ctx.Err() == nil {
		renewal, err := l.config.Candidate.Campaign(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if err := l.serve(ctx, renewal); err != nil {
			return err
		}
	}
	return nil
}

// serve works for one term, and returns when all of its work has returned. If ctx, the leader's,
// has ended by then, the manager has too, and reports and releases by itself.
func (l *Leader) serve(ctx context.Context, renewal *election.Renewal) error {
	l.setRenewal(renewal)
	s := &service{config: &l.config, run: l.run, term: renewal.Term, keep: l.keep}
	s.begin(ctx)
	l.setServing(s)
	s.startAll()
	<-s.term.Context().Done()
	l.setServing(nil)
	took := s.wait(ctx)
	if ctx.Err() != nil {
		s.tellEnd(ctx, s.shutdown(took))
		return nil
	}
	l.config.TermOver(s.term)
	s.tellEnd(ctx, s.finish(took).Shutdown) // before the flush, to be part of it
	flushed := l.config.Flush(ctx)
	l.Release(ctx)
	<-flushed
	if l.config.ExitOnLoss {
		return &lostError{s.term.Err()}
	}
	return nil
}

// Add starts a worker that Workers has returned only since the current term began. It does nothing
// if this process does not lead.
func (l *Leader) Add(worker Worker) {
	l.mu.Lock()
	serving := l.serving
	l.mu.Unlock()
	if serving != nil {
		serving.start(worker)
	}
}

func (l *Leader) setServing(s *service) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serving = s
}

func (l *Leader) keep(last report.Term) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = &last
}

// Release releases the Lease, if this process still holds it. Nothing that needs it may run. ctx
// may have ended.
func (l *Leader) Release(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), releaseTimeout,
		cause.CallTimeout.With(fmt.Errorf("the release of the lease has %v", releaseTimeout)))
	defer cancel()
	release := l.config.Candidate.Release
	if renewal := l.setRenewal(nil); renewal != nil {
		release = renewal.Release
	}
	if err := release(ctx); err != nil {
		klog.FromContext(ctx).Error(err, "The lease was not released")
	}
}

// Abandon leaves the Lease as it is, for others to wait until it expires.
func (l *Leader) Abandon() {
	if renewal := l.setRenewal(nil); renewal != nil {
		renewal.Abandon()
	}
}

func (l *Leader) setRenewal(next *election.Renewal) (previous *election.Renewal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	previous = l.renewal
	l.renewal = next
	return previous
}

// Watcher returns the runner that watches the Lease.
func (l *Leader) Watcher() lifecycle.Runner { return watcher{&l.config} }

type watcher struct{ *Config }

func (w watcher) Unit() *work.Unit {
	return &work.Unit{Kind: report.Informer, Owner: "lease " + w.Lease.String()}
}

func (w watcher) Run(ctx context.Context) error { return w.Candidate.WatchLease(ctx) }
