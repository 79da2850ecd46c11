// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/faults"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/snapshot"
)

// queueShown is the number of items of a queue that a snapshot has.
const queueShown = 100

// Snapshot returns what the manager does now: its terms, controllers with their items in flight and queues,
// caches, connections and last reconciles. It has no content of objects: see package snapshot. It may be called
// at any time, also before Run and after it, and as often as a few times a second: with it the manager looks at
// each item that is in flight or waits. It is safe for concurrent use.
//
// [Manager.Stories] has more of one object.
func (m *Manager) Snapshot() *snapshot.Snapshot {
	now := time.Now()
	s := &snapshot.Snapshot{
		At: now, Leadership: m.leadershipNow(), Shards: m.shardsNow(),
		Caches: m.cachesNow(now), Connections: m.connectionsNow(),
		Writers: m.writersNow(), Orphans: []string{},
	}
	s.State, s.Cause = m.stateNow()
	live := m.units.Live()
	inFlight := m.inFlightNow(live, now)
	s.Controllers = make([]snapshot.Controller, 0, len(inFlight))
	kinds := map[string]string{}
	for _, c := range m.setup.all() {
		kinds[c.name()] = c.Config().Kind.Kind
		s.Controllers = append(s.Controllers, m.controllerNow(c, inFlight[c.name()], now))
	}
	slices.SortStableFunc(s.Controllers, func(a, b snapshot.Controller) int { return strings.Compare(a.Name, b.Name) })
	s.Recent = recentOf(m.observers.stories.Last(), kinds)
	s.Runnables = runnablesNow(live, now)
	for _, orphan := range m.Orphans() {
		s.Orphans = append(s.Orphans, orphan.String())
	}
	for i := range s.Controllers {
		addShutdown(&s.Shutdown, &s.Controllers[i])
	}
	return s
}

func (m *Manager) stateNow() (state snapshot.State, why string) {
	m.mu.Lock()
	began, returned, cause := m.ended != nil, m.returned, m.why
	m.mu.Unlock()
	switch {
	case !began:
		return snapshot.SetUp, ""
	case returned:
		return snapshot.Ended, faults.Describe(cause())
	}
	if err := cause(); err != nil {
		return snapshot.Ending, faults.Describe(err)
	}
	return snapshot.Running, ""
}

func (m *Manager) leadershipNow() *snapshot.Leadership {
	if m.leader == nil {
		return nil
	}
	l := &snapshot.Leadership{Lease: m.options.LeaderElection.lease().String()}
	term, leads := m.leader.Current()
	if !leads {
		return l
	}
	l.Leads = true
	l.Holder = term.Holder
	l.Number = term.Number
	l.Began = &term.Began
	l.Left = snapshot.SecondsOf(m.leader.Left())
	return l
}

func (m *Manager) shardsNow() *snapshot.Shards {
	if m.shards == nil {
		return nil
	}
	held, err := m.Slots()
	s := &snapshot.Shards{
		Total: m.shards.slots, Held: held, Left: snapshot.SecondsOf(m.shards.keeper.Table().Left()),
	}
	if s.Held == nil {
		s.Held = []int{}
	}
	if err != nil {
		s.Refused = err.Error() // it is about Leases
	}
	return s
}

func (m *Manager) controllerNow(c *controllerRunner, inFlight []snapshot.Item, now time.Time) snapshot.Controller {
	config := c.Config()
	s := snapshot.Controller{
		Name: c.name(), Kind: config.Kind.String(), Workers: config.Workers, Scope: "always", Serving: c.Serving(),
		Drain: snapshot.SecondsOf(max(0, config.DrainTimeout)), InFlight: inFlight, Queue: queueNow(c, now),
		Outcomes: map[string]int64{},
	}
	switch {
	case c.sharded():
		s.Scope = "slots"
	case c.inTerm:
		s.Scope = "term"
	}
	if s.InFlight == nil {
		s.InFlight = []snapshot.Item{}
	}
	for outcome, n := range m.observers.stats.Of(c.name()).ByOutcome {
		s.Outcomes[string(outcome)] = n
	}
	return s
}

func queueNow(c *controllerRunner, now time.Time) snapshot.Queue {
	view := c.View(now, queueShown)
	q := snapshot.Queue{
		Ready: view.Ready, Delayed: view.Delayed, Parked: view.Parked,
		Waiting: make([]snapshot.Waiter, 0, len(view.First)),
	}
	for i := range view.First {
		q.Waiting = append(q.Waiting, waiterOf(c, &view.First[i]))
	}
	return q
}

// runnablesNow returns what runs beside the items.
func runnablesNow(live []*work.Unit, now time.Time) []snapshot.Work {
	all := []snapshot.Work{}
	for _, unit := range live {
		if unit.Kind != report.Item {
			all = append(all, snapshot.Work{
				Kind: string(unit.Kind), Name: unit.Owner, Age: snapshot.SecondsOf(now.Sub(unit.Start)),
				Calls: callsOf(unit, now),
			})
		}
	}
	slices.SortStableFunc(all, func(a, b snapshot.Work) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
	return all
}

func (m *Manager) connectionsNow() []snapshot.Connection {
	all := []snapshot.Connection{}
	for _, load := range m.transport.Loads() {
		all = append(all, snapshot.Connection{
			Purpose: load.Purpose, Connections: load.Connections, Limit: load.Limit, Calls: load.Requests,
			Waiting: load.Waiting,
		})
	}
	return all
}

// addShutdown adds what a shutdown would do to a controller.
func addShutdown(s *snapshot.Shutdown, c *snapshot.Controller) {
	s.NotStarted += c.Queue.Ready + c.Queue.Delayed + c.Queue.Parked
	if c.Drain > 0 {
		s.Finishing += len(c.InFlight)
		s.Longest = max(s.Longest, c.Drain)
		return
	}
	s.Cancelled += len(c.InFlight)
	for i := range c.InFlight {
		for j := range c.InFlight[i].Calls {
			if call := &c.InFlight[i].Calls[j]; isWrite(call) && (call.Phase == snapshot.Sent || call.Phase == snapshot.Reading) {
				s.Writes++
			}
		}
	}
}

func isWrite(call *snapshot.Call) bool {
	return call.Verb != "" && call.Verb != "get" && call.Verb != "list" && call.Verb != "watch"
}
