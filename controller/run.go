// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/metrics"
	"github.com/lanyard-k8s/lanyard/controller/internal/quiet"
	"github.com/lanyard-k8s/lanyard/controller/internal/tree"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Run starts everything that was added to the manager and blocks. It shuts down when ctx ends or
// when a part of the manager fails.
//
// In the shutdown the contexts of all controllers, items and runnables end at once. Only with
// ManagerOptions.DrainTimeout do items that have begun keep their contexts, for at most that time.
// Run waits for everything that it started, and returns:
//   - nil, if ctx ended and everything stopped;
//   - the error of the part that failed;
//   - a [*ShutdownError], if something did not return within ManagerOptions.ShutdownTimeout.
//     Goroutines are left then, so the process should exit.
//
// All contexts that user code receives carry the values of ctx. Run can be called once.
func (m *Manager) Run(ctx context.Context) error {
	if m.planning != nil {
		return errors.New("ManagerOptions.DryRun is set: call Plan, which runs the manager dry, in place of Run")
	}
	return m.run(ctx)
}

func (m *Manager) run(ctx context.Context) error {
	root, end, release := tree.New(m.observers.context(withEndsDemoted(ctx)))
	defer release()
	run := lifecycle.NewRun(&m.units, m.options.StragglerStacks, end)
	plan, err := m.setup.begin(run, m.informers)
	if err != nil {
		return err
	}
	m.transport.SetWorkers(m.setup.workers())
	m.began(root.Done(), func() error { return context.Cause(root) })
	stopMetrics, err := m.observers.metrics.Observe(m.state)
	if err != nil {
		return fmt.Errorf("register the metrics: %w", err)
	}
	defer stopMetrics()
	// Calls with contexts from elsewhere may be part of items, which may have time to finish.
	orphans, endOrphans := tree.DrainForAll(root, m.setup.hurried, m.setup.longestDrain)
	endOrphans = sync.OnceFunc(endOrphans)
	defer endOrphans()
	m.transport.Begin(root, orphans)

	m.complete(plan, run)
	m.planning.begin(end)
	plan.Worked = endOrphans
	took, _ := run.Execute(root, plan)
	if err := m.informers.set.Mutated(time.Now()); err != nil && run.Failures() == nil {
		run.Fail(err) // the last items have changed it
	}
	ended := m.keepReport(context.Cause(root), took)
	m.transport.Close() // after the report, which names the calls of what has not returned
	if len(ended.Stragglers) > 0 {
		return errors.Join(&ShutdownError{Report: ended}, run.Failures())
	}
	return run.Failures()
}

// complete adds to a plan what every manager runs.
func (m *Manager) complete(plan *lifecycle.Plan, run *lifecycle.Run) {
	plan.Add(lifecycle.Informers, m.informers)
	plan.Add(lifecycle.Informers, m.monitor())
	if m.leader != nil {
		m.leader.Join(run)
		plan.Leases = append(plan.Leases, m.leader)
	}
	if m.shards != nil {
		plan.Leases = append(plan.Leases, m.shards.keeper)
	}
	plan.Flush = m.options.Telemetry.flush
	plan.ShutdownTimeout = m.options.ShutdownTimeout
}

// withEndsDemoted returns a context whose logger writes an error that only says that the framework
// cancelled a context as an Info line with verbosity 1. client-go and user code would log it as an
// error, although nothing has failed.
func withEndsDemoted(ctx context.Context) context.Context {
	return quiet.Demote(ctx, 1, func(err error) bool {
		ended := cause.Of(err)
		return ended != nil && !ended.Timeout() && ended != cause.ComponentFailed
	})
}

func (m *Manager) began(ended <-chan struct{}, why func() error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.why = why
	m.ended = ended
}

// running reports whether Run has begun and has not returned.
func (m *Manager) running() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ended != nil && !m.returned
}

// keepReport makes the report of the manager's end.
func (m *Manager) keepReport(why error, took time.Duration) report.Shutdown {
	cancelled, finished := m.observers.endings.Report()
	ended := report.Shutdown{
		Cause: why, Took: took, Cancelled: cancelled, Finished: finished,
		Queued:     map[string]int{},
		Stragglers: work.Stragglers(m.units.Live(), m.options.StragglerStacks),
	}
	for _, c := range m.setup.all() {
		c.Queued(ended.Queued)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report = ended
	m.returned = true
	return ended
}

// state returns what the metrics read whenever they are collected.
func (m *Manager) state() metrics.State {
	s := metrics.State{CallsWaiting: m.transport.Waiting()}
	inFlight := map[string]int{}
	for _, unit := range m.units.Live() {
		if unit.Kind == report.Item {
			inFlight[unit.Owner]++
		}
	}
	now := time.Now()
	for _, c := range m.setup.all() {
		backlog := c.Backlog(now)
		s.Controllers = append(s.Controllers, metrics.ControllerState{
			Name: c.Config().MetricsName, Depth: backlog.Depth, InFlight: inFlight[c.name()], Oldest: backlog.Waited,
		})
	}
	for _, informer := range m.informers.set.All() {
		s.Caches = append(s.Caches, cacheState(informer, now))
	}
	s.Caches = append(s.Caches, factoryStates(m.informers.unit.Streams, now)...)
	if m.leader != nil {
		_, leads := m.leader.Current()
		s.Leads = &leads
	}
	if m.shards != nil {
		slots := len(m.shards.keeper.Table().Held())
		s.Slots = &slots
	}
	return s
}
