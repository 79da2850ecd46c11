// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// ShutdownError is the error of Run if something did not return within
// ManagerOptions.ShutdownTimeout.
type ShutdownError = report.ShutdownError

// Report returns the report of the manager's shutdown. It is empty until Run has returned.
func (m *Manager) Report() report.Shutdown {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.report
}

// CurrentTerm returns the term of leadership in which this process is the leader now. ok is false
// if this process does not lead, or if the manager has no leader election.
func (m *Manager) CurrentTerm() (term Term, ok bool) {
	if m.leader == nil {
		return Term{}, false
	}
	return m.leader.Current()
}

// LastTerm returns the report of the last term of leadership that this process lost or gave up
// while the manager went on running. ok is false if there was none. A term that lasted until the
// shutdown is in [Manager.Report] instead.
func (m *Manager) LastTerm() (last report.Term, ok bool) {
	if m.leader == nil {
		return report.Term{}, false
	}
	return m.leader.Last()
}

// Slots returns the numbers of the slots that this process works on, in order. The error says why it may not
// work: for example because other replicas divide the objects in another way. Both are nil without
// ManagerOptions.Sharding.
func (m *Manager) Slots() (held []int, err error) {
	if m.shards == nil {
		return nil, nil
	}
	return m.shards.keeper.Table().Held(), m.shards.keeper.Refused()
}

// LastSlots returns the report of each slot that this process has lost or given up, in the order of their
// numbers. Of a slot that it has had several times, only the last one is kept. It is nil without
// ManagerOptions.Sharding.
func (m *Manager) LastSlots() []report.Slot {
	if m.shards == nil {
		return nil
	}
	return m.shards.reports()
}

// Stats counts a controller's reconciles by how they ended.
type Stats struct {
	Done      int64            // returned nil
	Requeued  int64            // returned nil and a time to be reconciled again
	Retried   int64            // failed, and were tried again after a back-off
	Terminal  int64            // failed with a TerminalError
	Panicked  int64            // panicked, and were tried again after a back-off
	TimedOut  int64            // used up their time, and were tried again after a back-off
	Cancelled map[string]int64 // were cancelled, by the name of the cause
}

// Failures returns the number of reconciles that failed. Cancelled ones did not.
func (s Stats) Failures() int64 { return s.Retried + s.Terminal + s.Panicked + s.TimedOut }

// Stats returns how the controller's reconciles have ended so far. It is safe for concurrent use.
func (c *Controller[T]) Stats() Stats {
	counts := c.manager.observers.stats.Of(c.name)
	return Stats{
		Done: counts.ByOutcome[reconcile.Done], Requeued: counts.ByOutcome[reconcile.Requeued],
		Retried: counts.ByOutcome[reconcile.Retried], Terminal: counts.ByOutcome[reconcile.Terminal],
		Panicked: counts.ByOutcome[reconcile.Panicked], TimedOut: counts.ByOutcome[reconcile.TimedOut],
		Cancelled: counts.ByCause,
	}
}
