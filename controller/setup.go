// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/group"
	"github.com/lanyard-k8s/lanyard/controller/internal/leading"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
)

// setup is what a manager runs: what was added before Run and what is added to a running manager.
// It is safe for concurrent use.
type setup struct {
	mu          sync.Mutex
	mistakes    []error
	runnables   []*runnable
	controllers []*controllerRunner
	feeders     []lifecycle.Runner // say which informers there are
	hurried     chan struct{}      // is closed when drains are to be cut short
	run         *lifecycle.Run     // nil before Run
	leader      *leading.Leader    // nil without leader election
	planning    *planning          // nil unless it is a dry run

	longest atomic.Int64 // the longest drain of any controller: see longestDrain
}

// mistake keeps an error for Run, so that a set-up reads without error checks and still nothing
// starts after a mistake. A mistake after Run has begun ends the run.
func (s *setup) mistake(err error) {
	s.mu.Lock()
	s.mistakes = append(s.mistakes, err)
	run := s.run
	s.mu.Unlock()
	if run != nil {
		run.Fail(err)
	}
}

// add calls add with the run, which is nil if Run has not begun. An error of add is a mistake. Run
// does not begin while add runs, so what is added is either part of the plan or starts beside it.
func (s *setup) add(add func(run *lifecycle.Run) error) (ok bool) {
	if err := s.tryAdd(add); err != nil {
		s.mistake(err)
		return false
	}
	return true
}

func (s *setup) tryAdd(add func(run *lifecycle.Run) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return add(s.run)
}

func (s *setup) addRunnable(r *runnable) {
	if r.name == "" || r.run == nil {
		s.mistake(fmt.Errorf("a runnable needs a name and a function (name %q)", r.name))
		return
	}
	s.add(func(run *lifecycle.Run) error {
		for _, other := range s.runnables {
			if other.name == r.name {
				return sameName("runnables", r.name, other.part)
			}
		}
		if !r.harmless && s.planning.skips("the runnable "+r.name) {
			return nil
		}
		s.runnables = append(s.runnables, r)
		start(run, s.leader, r.class, r, r.inTerm)
		return nil
	})
	r.part.AfterStop(func() { s.removeRunnable(r) })
}

// addFeeder adds what says which informers there are.
func (s *setup) addFeeder(feeder lifecycle.Runner) {
	s.add(func(run *lifecycle.Run) error {
		s.feeders = append(s.feeders, feeder)
		if run != nil {
			run.Add(lifecycle.Informers, feeder)
		}
		return nil
	})
}

func (s *setup) addController(c *controllerRunner) (ok bool) {
	return s.add(func(run *lifecycle.Run) error {
		for _, other := range s.controllers {
			if other.name() == c.name() {
				return sameName("controllers", c.name(), other.part)
			}
		}
		s.controllers = append(s.controllers, c)
		s.noteDrains()
		s.planning.add(c)
		if run != nil {
			c.GoOnTrying()
		}
		if s.isHurried() {
			c.part.Hurry()
		}
		start(run, s.leader, lifecycle.Workers, c, c.inTerm)
		return nil
	})
}

// sameName is the error for a name that is taken. earlier is the part that has the name already.
func sameName(of, name string, earlier *lifecycle.Part) error {
	if earlier.Stopping() {
		return fmt.Errorf("there are two %s named %q: the earlier one was told to stop and has not returned yet, "+
			"so wait for its Stopped() before you use the name again", of, name)
	}
	return fmt.Errorf("there are two %s named %q: give each its own name", of, name)
}

// joiner is a part of a manager that runs for the whole run or in terms.
type joiner interface {
	lifecycle.Runner
	leading.Worker
}

// start starts what was added to a run that has begun.
func start(run *lifecycle.Run, leader *leading.Leader, class lifecycle.Class, j joiner, inTerm bool) {
	switch {
	case run == nil: // it is part of the plan
	case inTerm:
		// The leader asks for the lock that the caller holds, to see what else there is.
		run.Add(lifecycle.Workers, &joining{leader: leader, worker: j})
	default:
		run.Add(class, j)
	}
}

func (s *setup) removeRunnable(r *runnable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runnables = slices.DeleteFunc(s.runnables, func(other *runnable) bool { return other == r })
}

func (s *setup) removeController(c *controllerRunner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.controllers = slices.DeleteFunc(s.controllers, func(other *controllerRunner) bool { return other == c })
	s.planning.done(c)
	s.noteDrains()
}

// begin marks the set-up as begun, and returns what was added so far, with the informers, or the
// mistakes in it. What is added from then on starts beside that. A manager runs once: its informers
// cannot be started again.
func (s *setup) begin(run *lifecycle.Run, informers *informers) (*lifecycle.Plan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil {
		return nil, errors.New("this manager has run already: make a new one, with new informers")
	}
	s.run = run
	if err := errors.Join(append(s.mistakes, informers.set.StartedElsewhere())...); err != nil {
		return nil, fmt.Errorf("the manager was not set up right, nothing was started: %w", err)
	}
	plan := s.plan()
	runners, _ := informers.all()
	for _, runner := range runners {
		plan.Add(lifecycle.Informers, runner)
	}
	return plan, nil
}

// spawn starts a runner beside others, in a run that has begun.
func (s *setup) spawn(ctx context.Context, g *group.Group, runner lifecycle.Runner) {
	s.run.Spawn(ctx, g, runner) // run does not change once it is set
}

// all returns the controllers.
func (s *setup) all() []*controllerRunner {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.controllers)
}

// allInTerm returns the controllers that run in terms of leadership.
func (s *setup) allInTerm() []*controllerRunner {
	return slices.DeleteFunc(s.all(), func(c *controllerRunner) bool { return !c.inTerm })
}

// allSharded returns the controllers that work on the slots of this process.
func (s *setup) allSharded() []*controllerRunner {
	return slices.DeleteFunc(s.all(), func(c *controllerRunner) bool { return !c.sharded() })
}

// drains reports whether any controller lets its items finish at the end.
func (s *setup) drains() bool { return slices.ContainsFunc(s.all(), (*controllerRunner).drains) }

// hurry cuts drains short, also those of controllers that are added later. It reports whether that
// is new.
func (s *setup) hurry() (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isHurried() {
		return false
	}
	close(s.hurried)
	for _, c := range s.controllers {
		c.part.Hurry()
	}
	return true
}

// isHurried reports whether drains are cut short. s.mu must be held.
func (s *setup) isHurried() bool {
	select {
	case <-s.hurried:
		return true
	default:
		return false
	}
}

// longestDrain returns the longest time that items of any controller have at the end. It takes no
// lock, because it is asked for in the instant of the end.
func (s *setup) longestDrain() time.Duration { return time.Duration(s.longest.Load()) }

// noteDrains notes what longestDrain returns. s.mu must be held.
func (s *setup) noteDrains() {
	var longest time.Duration
	for _, c := range s.controllers {
		longest = max(longest, c.Config().DrainTimeout)
	}
	s.longest.Store(int64(longest))
}

// workers returns the number of objects that can be reconciled at the same time.
func (s *setup) workers() int {
	workers := 0
	for _, c := range s.all() {
		workers += c.Config().Workers
	}
	return workers
}

// inTerm returns what runs in terms of leadership.
func (s *setup) inTerm() []leading.Worker {
	s.mu.Lock()
	defer s.mu.Unlock()
	var workers []leading.Worker
	for _, r := range s.runnables {
		if r.inTerm {
			workers = append(workers, r)
		}
	}
	for _, c := range s.controllers {
		if c.inTerm {
			workers = append(workers, c)
		}
	}
	return workers
}

// plan returns what runs on every replica. s.mu must be held.
func (s *setup) plan() *lifecycle.Plan {
	plan := &lifecycle.Plan{}
	for _, feeder := range s.feeders {
		plan.Add(lifecycle.Informers, feeder)
	}
	for _, r := range s.runnables {
		if !r.inTerm {
			plan.Add(r.class, r)
		}
	}
	for _, c := range s.controllers {
		if !c.inTerm {
			plan.Add(lifecycle.Workers, c)
		}
	}
	return plan
}
