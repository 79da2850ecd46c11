// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// State is the state of a manager, which is read whenever metrics are collected.
type State struct {
	Controllers  []ControllerState
	Caches       []CacheState
	CallsWaiting int
	Leads        *bool // nil without leader election
	Slots        *int  // that this process works on; nil without sharding
}

// ControllerState is the state of a controller. Controllers of one name are one series.
type ControllerState struct {
	Name            string
	Depth, InFlight int
	Oldest          time.Duration
}

// CacheState is the state of a cache. A negative number of objects or age is unknown. Caches of one
// name are one series.
type CacheState struct {
	Name    string
	Objects int
	Age     time.Duration
	Failing time.Duration    // for how long it has not been fed; zero if it is
	Errors  map[string]int64 // how often something has failed so far, by reason
}

// Observe reads the state at each collection until stop is called. On the nil Set it does nothing.
func (s *Set) Observe(read func() State) (stop func(), err error) {
	if s == nil {
		return func() {}, nil
	}
	registration, err := s.meter.RegisterCallback(
		func(ctx context.Context, o metric.Observer) error {
			state := read()
			s.countFromZero(ctx, &state)
			s.observe(o, state)
			return nil
		},
		s.depth,
		s.inFlight,
		s.oldest,
		s.callsWaiting,
		s.cacheObjects,
		s.cacheAge,
		s.cacheFailing,
		s.cacheErrors,
		s.leading,
		s.slots,
	)
	if err != nil {
		return func() {}, err
	}
	return func() { _ = registration.Unregister() }, nil // fails only for what was not registered
}

func (s *Set) observe(o metric.Observer, state State) {
	for _, c := range together(state.Controllers) {
		name := s.controller(c.Name).option
		o.ObserveInt64(s.depth, int64(c.Depth), name)
		o.ObserveInt64(s.inFlight, int64(c.InFlight), name)
		o.ObserveFloat64(s.oldest, c.Oldest.Seconds(), name)
	}
	for _, c := range merged(state.Caches) {
		name := s.byCache.get(c.Name, label("cache")).option
		if c.Objects >= 0 {
			o.ObserveInt64(s.cacheObjects, int64(c.Objects), name)
		}
		if c.Age >= 0 {
			o.ObserveFloat64(s.cacheAge, c.Age.Seconds(), name)
		}
		o.ObserveFloat64(s.cacheFailing, c.Failing.Seconds(), name)
		for reason, n := range c.Errors {
			labels := s.byCacheError.get(cacheErrorLabels{c.Name, reason}, cacheErrorLabels.attributes)
			o.ObserveInt64(s.cacheErrors, n, labels.option)
		}
	}
	o.ObserveInt64(s.callsWaiting, int64(state.CallsWaiting))
	if state.Leads != nil {
		leads := int64(0)
		if *state.Leads {
			leads = 1
		}
		o.ObserveInt64(s.leading, leads)
	}
	if state.Slots != nil {
		o.ObserveInt64(s.slots, int64(*state.Slots))
	}
}

// merged merges the caches of each name, such as those of several namespaces. It adds up their
// objects and errors, and takes the greatest age, so that a dead watch is not hidden by the others.
func merged(caches []CacheState) []CacheState {
	var all []CacheState
	at := map[string]int{}
	for _, c := range caches {
		i, ok := at[c.Name]
		if !ok {
			at[c.Name] = len(all)
			all = append(all, c)
			continue
		}
		all[i].Objects += c.Objects
		all[i].Age = max(all[i].Age, c.Age)
		all[i].Failing = max(all[i].Failing, c.Failing)
		for reason, n := range c.Errors {
			all[i].Errors[reason] += n
		}
	}
	return all
}

// together merges the controllers of each name. It adds up their items and takes the one that has
// waited for longest.
func together(controllers []ControllerState) []ControllerState {
	var all []ControllerState
	at := map[string]int{}
	for _, c := range controllers {
		i, ok := at[c.Name]
		if !ok {
			at[c.Name] = len(all)
			all = append(all, c)
			continue
		}
		all[i].Depth += c.Depth
		all[i].InFlight += c.InFlight
		all[i].Oldest = max(all[i].Oldest, c.Oldest)
	}
	return all
}

// countFromZero makes counters 0 before the first orphan, loop, term and slot instead of absent: to Prometheus an
// increase from nothing to 1 is none. Without leader election there are no counters of terms, and without sharding
// none of slots.
func (s *Set) countFromZero(ctx context.Context, state *State) {
	for i := range state.Controllers {
		s.loops.Add(ctx, 0, s.controller(state.Controllers[i].Name).option)
	}
	for _, kind := range report.OrphanKinds() {
		s.orphans.Add(ctx, 0, s.orphan(kind))
	}
	if state.Leads != nil {
		s.countEndsFromZero(ctx, s.termsBegun, s.termsEnded)
	}
	if state.Slots != nil {
		s.countEndsFromZero(ctx, s.slotsBegun, s.slotsEnded)
	}
}

func (s *Set) countEndsFromZero(ctx context.Context, begun, ended metric.Int64Counter) {
	begun.Add(ctx, 0)
	for _, how := range cause.TermEnds() {
		ended.Add(ctx, 0, s.termEnd(how))
	}
}
