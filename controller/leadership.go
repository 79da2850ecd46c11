package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/apimachinery/pkg/types"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/group"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// releaseTimeout bounds the release of the lease, with its attempts. Without a release others wait until the
// lease expires.
const releaseTimeout = 5 * time.Second

// AddLeaderRunnable adds something that runs while this process leads, once in each term, on the term's
// context (C12). Without Options.LeaderElection it is the same as AddRunnable. When it returns an error
// before the term's end, or panics, everything ends and Run returns that error.
func (m *Manager) AddLeaderRunnable(name string, run func(ctx context.Context) error) {
	m.addRunnable(runnable{name: name, run: run, leaderBound: m.candidate != nil})
}

// TermReport is the account of a term of leadership and of its end. Its Queued counts the items that
// were waiting, and that the next leader will find by itself.
type TermReport struct {
	Term Term
	ShutdownReport
}

// String is the report in a few lines for a person to read.
func (r TermReport) String() string {
	return fmt.Sprintf("term %v on the lease %v, %v long, %v", r.Term, r.Term.Lease, time.Since(r.Term.Began).Round(time.Millisecond), r.ShutdownReport)
}

// Leads returns the term in which this process leads now.
func (m *Manager) Leads() (Term, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tenure == nil || m.tenure.Term.Check() != nil {
		return Term{}, false
	}
	return publicTerm(m.tenure.Term), true
}

// LastTerm returns the account of the last term that ended before the manager did. That of the term in
// which the manager ended is the manager's own [Manager.Report].
func (m *Manager) LastTerm() (TermReport, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lastTerm == nil {
		return TermReport{}, false
	}
	return *m.lastTerm, true
}

func publicTerm(t *term.Term) Term {
	namespace, name, _ := strings.Cut(t.Lease, "/")
	return Term{Lease: types.NamespacedName{Namespace: namespace, Name: name}, Holder: t.Holder, Number: t.Number, ResourceVersion: t.ResourceVersion, Began: t.Began}
}

// setUpElection makes the candidate, with a connection of its own (C25).
func (m *Manager) setUpElection(options LeaderElection) error {
	if err := options.complete(); err != nil {
		return err
	}
	m.election = options
	config, reconnect := m.transport.ForLease(m.user)
	typed, err := coordinationv1client.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("leader election: make a client: %w", err)
	}
	var client coordinationv1client.LeasesGetter = typed
	clock := term.BootTime()
	if options.inTest != nil {
		client, clock = options.inTest.client, options.inTest.clock
	}
	m.candidate = election.New(election.Config{
		Lease: options.lease(), Identity: options.Identity,
		LeaseDuration: options.LeaseDuration, RenewDeadline: options.RenewDeadline, RetryPeriod: options.RetryPeriod, Margin: options.Margin,
		Client: client, Reconnect: reconnect, Clock: clock, Progress: m.progress,
	})
	return nil
}

// lead campaigns and works, term after term, until ctx ends. When it returns then, nothing needs the term
// any more, but the lease is still held: the release has its place in the order of the end (C8).
func (r *run) lead(ctx context.Context) error {
	m := r.manager
	if err := r.warm(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		tenure, err := m.candidate.Elect(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if err := r.serve(ctx, tenure); err != nil {
			return err
		}
	}
	return nil
}

// warm waits for the caches, so that a stand-by that is elected has them (C16).
func (r *run) warm(ctx context.Context) error {
	for _, c := range r.manager.controllers {
		if !c.leaderBound() {
			continue
		}
		if err := c.warm(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		r.manager.readiness.Add(1)
		context.AfterFunc(ctx, func() { r.manager.readiness.Add(-1) })
	}
	return nil
}

// serve works for one term, and returns when all of it has returned (C17).
func (r *run) serve(ctx context.Context, tenure *election.Tenure) error {
	m, t := r.manager, tenure.Term
	m.setTenure(tenure)
	logger := klog.FromContext(ctx)
	logger.Info("Leading", "lease", t.Lease, "term", t.String())
	m.metrics.TermBegan(ctx)
	begun := m.termSpan(ctx, tracing.SpanTermBegin, t, trace.SpanContext{})
	tellEnd := sync.OnceFunc(func() {
		// What ended a term that ended with the process is known, and the resignation still to come.
		m.metrics.TermEnded(context.WithoutCancel(ctx), string(howEnded(t)))
		m.termSpan(context.WithoutCancel(ctx), tracing.SpanTermEnd, t, begun, attribute.String(tracing.AttrTermEnd, string(howEnded(t))))
	})
	defer tellEnd()
	termCtx := klog.NewContext(t.Context(), klog.LoggerWithValues(logger, "term", t.String()))

	var works group.Group
	for _, runnable := range m.runnables {
		if runnable.leaderBound {
			r.spawn(termCtx, &works, &work.Unit{Kind: work.Runnable, Owner: runnable.name, Term: t}, runnable.run)
		}
	}
	for _, c := range m.controllers {
		if c.leaderBound() {
			c.prepare()
			r.spawn(termCtx, &works, &work.Unit{Kind: work.Controller, Owner: c.name(), Term: t}, func(ctx context.Context) error {
				return c.run(ctx, m.hurry, t)
			})
		}
	}
	<-termCtx.Done()
	began := time.Now()
	limit := time.NewTimer(m.options.ShutdownTimeout)
	defer limit.Stop()
	select {
	case <-works.Seal():
	case <-limit.C:
		if ctx.Err() == nil {
			report := m.finishTerm(t, time.Since(began))
			r.fail(fmt.Errorf("this process cannot lead again, because work of its last term does not return: %w", &ShutdownError{Report: report.ShutdownReport}))
		}
		<-works.Seal() // Run waits for this too, and not for ever
	}
	took := time.Since(began)
	if ctx.Err() != nil {
		// Only the resignation is to come. What ended is accounted for in the manager's own report.
		m.mu.Lock()
		report := ShutdownReport{Cause: cmp.Or(t.Err(), context.Cause(termCtx)), Took: took, Cancelled: m.cancelled, Finished: m.finished}
		m.mu.Unlock()
		logTermEnd(logger, t, report)
		return nil
	}
	m.transport.EndTerm(t)
	report := m.finishTerm(t, took)
	logTermEnd(logger, t, report.ShutdownReport)
	tellEnd() // so that it is flushed too
	flushed := m.flushAside(ctx)
	r.release(ctx)
	<-flushed
	if m.election.ExitOnLoss {
		return &lostError{t.Err()}
	}
	return nil
}

// logTermEnd says why a term ended, when all of it has returned.
func logTermEnd(logger klog.Logger, t *term.Term, report ShutdownReport) {
	logger.Info("Leadership ended", "lease", t.Lease, "term", t.String(), "cause", report.Cause, "took", report.Took.String(),
		"cancelled", len(report.Cancelled), "finished", report.Finished)
}

// howEnded is how a term ended, or, where the process ended first, will end.
func howEnded(t *term.Term) cause.TermEnd {
	var ended *cause.TermEnded
	if errors.As(t.Err(), &ended) {
		return ended.How
	}
	return cause.TermResigned
}

// lostError is Run's error where ExitOnLoss is set. It is [cause.LeadershipLost], but no cancellation: the
// manager failed.
type lostError struct{ cause error }

func (e *lostError) Error() string {
	return "this process ends because it does not lead any more: " + e.cause.Error()
}

func (e *lostError) As(target any) bool { return errors.As(e.cause, target) }

func (e *lostError) Is(target error) bool {
	return target == cause.LeadershipLost
}

// release gives up the lease, if this process still holds it, when nothing that needs it is running any
// more (C15). ctx may have ended.
func (r *run) release(ctx context.Context) {
	m := r.manager
	tenure := m.setTenure(nil)
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), releaseTimeout,
		cause.CallTimeout.With(fmt.Errorf("the release of the lease has %v", releaseTimeout)))
	defer cancel()
	var err error
	if tenure != nil {
		err = tenure.Resign(ctx)
	} else {
		err = m.candidate.Release(ctx)
	}
	if err != nil {
		klog.FromContext(ctx).Error(err, "The lease was not released")
	}
}

// endWatch ends the watch of the lease, when nothing that needs the lease is running any more.
func (r *run) endWatch(root context.Context) {
	if r.unwatch != nil {
		r.unwatch(context.Cause(root))
	}
}

// endLeadership is the release at the end of the manager, if there was an election.
func (r *run) endLeadership(root context.Context) {
	if r.manager.candidate != nil {
		r.release(root)
	}
}

// keepLease leaves the lease as it is, for others to wait until it expires, because something that may
// need it has not returned (C7).
func (r *run) keepLease() {
	if tenure := r.manager.setTenure(nil); tenure != nil {
		tenure.Abandon()
	}
}

func (m *Manager) setTenure(next *election.Tenure) (previous *election.Tenure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	previous, m.tenure = m.tenure, next
	return previous
}

// finishTerm makes the report of a term that ended before the manager.
func (m *Manager) finishTerm(t *term.Term, took time.Duration) TermReport {
	var live []*work.Unit
	for _, unit := range m.units.Live() {
		if unit.Term == t {
			live = append(live, unit)
		}
	}
	left := stragglers(live, m.options.StragglerStacks)
	m.mu.Lock()
	defer m.mu.Unlock()
	report := TermReport{Term: publicTerm(t), ShutdownReport: ShutdownReport{
		Cause: t.Err(), Took: took, Cancelled: m.cancelled, Finished: m.finished, Queued: m.queuedBy(runner.leaderBound), Stragglers: left,
	}}
	m.cancelled, m.finished = nil, 0
	m.lastTerm = &report
	return report
}

// electing keeps what the manager knows of the election. Without one it is empty.
type electing struct {
	candidate *election.Candidate
	election  LeaderElection
	tenure    *election.Tenure // guarded by Manager.mu
	lastTerm  *TermReport      // guarded by Manager.mu
}
