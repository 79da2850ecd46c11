// SPDX-License-Identifier: Apache-2.0

package leading

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/group"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// service is the work of one term.
type service struct {
	config *Config
	run    *lifecycle.Run
	term   *term.Term
	keep   func(report.Term) // keeps the report of a term that ended before the manager
	tasks  group.Group
	spawn  func(lifecycle.Runner)

	mu      sync.Mutex
	started map[Worker]bool
}

// begin tells that the term has begun. ctx is the leader's.
func (s *service) begin(ctx context.Context) {
	logger := klog.FromContext(ctx)
	logger.Info("Leading", "lease", s.term.Lease.String(), "term", s.term.String())
	s.config.Observers.TermBegan(ctx, s.term.Config.Term)
	logger = klog.LoggerWithValues(logger, "term", s.term.String())
	termCtx := klog.NewContext(s.term.Context(), logger)
	s.started = map[Worker]bool{}
	s.spawn = func(runner lifecycle.Runner) { s.run.Spawn(termCtx, &s.tasks, runner) }
}

// startAll starts the work. Workers are asked for only after Leader.Add can find the service, so
// that none is missed.
func (s *service) startAll() {
	for _, worker := range s.config.Workers() {
		s.start(worker)
	}
}

// start starts a worker, once.
func (s *service) start(worker Worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started[worker] {
		s.started[worker] = true
		s.spawn(worker.InTerm(s.term))
	}
}

// wait waits for the work to return, after the term's context has ended, and returns how long that
// took. Work that does not return in time ends the manager, because this process must not lead
// again while any of it runs.
func (s *service) wait(ctx context.Context) (took time.Duration) {
	began := time.Now()
	unlimited := context.WithoutCancel(ctx)
	limited, cancel := context.WithTimeout(unlimited, s.config.ShutdownTimeout)
	defer cancel()
	if s.tasks.Wait(limited) == nil {
		return time.Since(began)
	}
	if ctx.Err() == nil {
		ended := s.finish(time.Since(began))
		s.run.Fail(
			fmt.Errorf(
				"this process cannot lead again, because work of its last term does not return: %w",
				&report.ShutdownError{Report: ended.Shutdown},
			),
		)
	}
	_ = s.tasks.Wait(unlimited) // the manager waits for this goroutine, with a limit of its own
	return time.Since(began)
}

// finish makes and keeps the report of a term that ended before the manager.
func (s *service) finish(took time.Duration) report.Term {
	var live []*work.Unit
	for _, unit := range s.config.Units.Live() {
		if unit.Term == s.term {
			live = append(live, unit)
		}
	}
	shutdown := s.shutdown(took)
	shutdown.Stragglers = work.Stragglers(live, s.config.Stacks)
	shutdown.Queued = map[string]int{}
	for _, worker := range s.config.Workers() {
		worker.Queued(shutdown.Queued)
	}
	s.config.Endings.Reset()
	ended := report.Term{Term: s.term.Config.Term, Length: endOf(s.term).At.Sub(s.term.Began), Shutdown: shutdown}
	s.keep(ended)
	return ended
}

// shutdown returns what is known of the term's end without looking at what still runs.
func (s *service) shutdown(took time.Duration) report.Shutdown {
	cancelled, finished := s.config.Endings.Report()
	return report.Shutdown{
		Cause: cmp.Or(s.term.Err(), context.Cause(s.term.Context())), Took: took,
		Cancelled: cancelled, Finished: finished,
	}
}

// tellEnd says why the term ended, when all of its work has returned.
func (s *service) tellEnd(ctx context.Context, ended report.Shutdown) {
	klog.FromContext(ctx).Info("Leadership ended",
		"lease", s.term.Lease.String(), "term", s.term.String(),
		"cause", ended.Cause, "took", ended.Took.String(),
		"cancelled", len(ended.Cancelled), "finished", ended.Finished)
	s.config.Observers.TermEnded(context.WithoutCancel(ctx), s.term.Config.Term, endOf(s.term).How)
}

// endOf returns how and when a term ended. If the manager ended first, the term is about to be given
// up now.
func endOf(t *term.Term) *cause.TermEnded {
	var ended *cause.TermEnded
	if errors.As(t.Err(), &ended) {
		return ended
	}
	return &cause.TermEnded{Term: t.Config.Term, How: cause.TermResigned, At: time.Now()}
}
