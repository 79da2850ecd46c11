// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/internal/sharding"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// shards says which objects this process works on. It is safe for concurrent use.
type shards struct {
	keeper      *sharding.Keeper
	slots       int
	key         func(Request) string
	byNamespace bool // the key is the namespace

	mu         sync.Mutex
	namespaces *shardNamespaces // nil unless something needs them
	ended      map[int]report.Slot
}

var _ pipeline.Shards = (*shards)(nil)

// needs reports whether this process has the slot of a namespace, or is to have it.
func (s *shards) needs(namespace string) bool {
	return s.keeper.Needs(sharding.SlotOf(s.key(Request{Namespace: namespace}), s.slots))
}

func (s *shards) ofNamespaces() *shardNamespaces {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.namespaces
}

// Has reports whether this process works on an object now.
func (s *shards) Has(request Request) bool { return s.keeper.Table().Of(s.key(request)) != nil }

// Enter begins to work on an object.
func (s *shards) Enter(request Request) (pipeline.Slot, bool) {
	slot := s.keeper.Table().Of(s.key(request))
	if slot == nil || !slot.Enter() {
		return nil, false
	}
	return heldSlot{slot}, true
}

// heldSlot is a slot that this process has.
type heldSlot struct{ *sharding.Slot }

// Needed returns the term of the slot.
func (s heldSlot) Needed() *term.Term { return s.Term }

// newShards makes what keeps this process's share of the slots, and feeds the controllers in setup. config has
// what the manager knows.
func newShards(setup *setup, observers observe.Observers, options *Sharding, config sharding.Config) *shards {
	s := &shards{
		slots: options.Slots, key: options.Key.Of, byNamespace: options.Key.Name == ShardByNamespace().Name,
		ended: map[int]report.Slot{},
	}
	config.Name = options.name()
	config.Identity = options.Identity
	config.Slots = options.Slots
	config.Key = options.Key.Name
	config.LeaseDuration = options.LeaseDuration
	config.RenewDeadline = options.RenewDeadline
	config.RetryPeriod = options.RetryPeriod
	config.Margin = options.Margin
	config.Home = options.membership().home()
	config.Fail = setup.mistake
	config.Warm = func(ctx context.Context) error {
		for _, c := range setup.allSharded() {
			if err := c.Warm(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	config.Prepare = func(ctx context.Context) {
		if namespaces := s.ofNamespaces(); namespaces != nil {
			namespaces.prepare(ctx)
		}
	}
	config.Moved = func() {
		if namespaces := s.ofNamespaces(); namespaces != nil {
			namespaces.notify()
		}
	}
	config.Gained = func(ctx context.Context, slot *sharding.Slot) {
		observers.SlotBegan(ctx, slot.Number, slot.Term.Term)
		for _, c := range setup.allSharded() {
			s.gained(ctx, c, slot.Number)
		}
	}
	config.Gone = func(ctx context.Context, slot *sharding.Slot) {
		how := cause.TermResigned
		if ended := (*cause.TermEnded)(nil); errors.As(slot.Term.Err(), &ended) {
			how = ended.How
		}
		s.keep(slot)
		observers.SlotEnded(context.WithoutCancel(ctx), slot.Number, slot.Term.Term, how)
	}
	s.keeper = sharding.New(config)
	return s
}

// keep keeps the report of a slot that has ended.
func (s *shards) keep(slot *sharding.Slot) {
	end := slot.Ending()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended[slot.Number] = report.Slot{
		Slot: slot.Number, Term: slot.Term.Term, Length: end.At.Sub(slot.Term.Began), Cause: end.Why,
		InFlight: end.Users, Took: end.Took,
	}
}

// reports returns the reports of the slots that have ended, in the order of their numbers.
func (s *shards) reports() []report.Slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	reports := make([]report.Slot, 0, len(s.ended))
	for _, number := range slices.Sorted(maps.Keys(s.ended)) {
		reports = append(reports, s.ended[number])
	}
	return reports
}

// gained adds all objects of a slot to the queue of a controller. Events of them were dropped before.
func (s *shards) gained(ctx context.Context, c *controllerRunner, slot int) {
	var gained []Request
	for _, request := range c.objects() {
		if sharding.SlotOf(s.key(request), s.slots) == slot {
			gained = append(gained, request)
		}
	}
	if len(gained) > 0 {
		c.Enqueue(ctx, &observe.Enqueue{Reason: reconcile.SlotGained, Requests: gained}, true)
	}
}
