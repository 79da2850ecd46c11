// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/leading"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
)

// ErrLate is the error with which Run ends if something is added to the manager after Run has
// begun.
var ErrLate = errors.New(
	"it was added after Run had begun, and does not run: add everything before Run",
)

// setup is what was added to a manager before Run, and the mistakes in that. It is safe for
// concurrent use.
type setup struct {
	mu          sync.Mutex
	mistakes    []error
	runnables   []*runnable
	controllers []*controllerRunner
	run         *lifecycle.Run // nil before Run
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

// add calls add, unless Run has begun: then what is a mistake. An error of add is a mistake too. Run
// does not begin while add runs, so nothing is added that would never run. ok reports whether it was
// added.
func (s *setup) add(what string, add func() error) (ok bool) {
	if err := s.tryAdd(what, add); err != nil {
		s.mistake(err)
		return false
	}
	return true
}

func (s *setup) tryAdd(what string, add func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil {
		return fmt.Errorf("%s: %w", what, ErrLate)
	}
	return add()
}

func (s *setup) addRunnable(r *runnable) {
	if r.name == "" || r.run == nil {
		s.mistake(fmt.Errorf("a runnable needs a name and a function (name %q)", r.name))
		return
	}
	s.add(fmt.Sprintf("runnable %q", r.name), func() error {
		s.runnables = append(s.runnables, r)
		return nil
	})
}

func (s *setup) addController(c *controllerRunner) {
	s.add(fmt.Sprintf("controller %q", c.name()), func() error {
		for _, other := range s.controllers {
			if other.name() == c.name() {
				return fmt.Errorf(
					"there are two controllers named %q: give each its own name", c.name())
			}
		}
		s.controllers = append(s.controllers, c)
		return nil
	})
}

// begin marks the set-up as complete, and returns the mistakes in it. A manager runs once: its
// informers cannot be started again.
func (s *setup) begin(run *lifecycle.Run) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil {
		return errors.New("this manager has run already: make a new one, with new informers")
	}
	s.run = run
	if len(s.mistakes) > 0 {
		return fmt.Errorf(
			"the manager was not set up right, nothing was started: %w",
			errors.Join(s.mistakes...),
		)
	}
	return nil
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

// drains reports whether any controller lets its items finish at the end.
func (s *setup) drains() bool { return slices.ContainsFunc(s.all(), (*controllerRunner).drains) }

// longestDrain returns the longest time that items of any controller have at the end.
func (s *setup) longestDrain() time.Duration {
	var longest time.Duration
	for _, c := range s.all() {
		longest = max(longest, c.Config().DrainTimeout)
	}
	return longest
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

// plan returns what runs on every replica.
func (s *setup) plan() *lifecycle.Plan {
	s.mu.Lock()
	defer s.mu.Unlock()
	plan := &lifecycle.Plan{}
	for _, r := range s.runnables {
		if !r.inTerm {
			plan.Runnables = append(plan.Runnables, r)
		}
	}
	for _, c := range s.controllers {
		if !c.inTerm {
			plan.Workers = append(plan.Workers, c)
		}
	}
	return plan
}
