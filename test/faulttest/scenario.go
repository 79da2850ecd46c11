// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// scenario is a run of the story, with the faults of a plan, in a namespace of its own.
type scenario struct {
	*tape
	options   *Options
	world     *world
	namespace string
	process   *process
	acts      chan act
	later     []func(context.Context) error // when the program is at rest next
	remake    bool                          // the first object is to be made again once it is gone
	faultless bool                          // it shows what is right
	budget    int                           // of calls; 0: no limit
	right     *reference                    // nil of a run without faults
	quietly   time.Duration                 // how long it is quiet when it is at rest
	began     time.Time                     // the process
	restarts  int
	problems  []finding
}

// act is what somebody else does at a call, which waits for it.
type act struct {
	mode Mode
	done chan struct{}
}

// finding is what an oracle has to say.
type finding struct {
	oracle Oracle
	text   string
}

func (f finding) Error() string { return f.text }

// errInput is an error of the program or the set-up that makes exploring senseless.
type errInput struct{ error }

func (e errInput) Unwrap() error { return e.error }

// settleLimit is how long a program may take to come to rest.
const settleLimit = 20 * time.Second

func (x *explorer) newScenario(ctx context.Context, plan Plan) (*scenario, error) {
	namespace, err := x.world.makeNamespace(ctx)
	if err != nil {
		return nil, errInput{err}
	}
	return &scenario{
		tape: newTape(plan), options: &x.options, world: x.world, namespace: namespace, acts: make(chan act), faultless: len(plan) == 0,
	}, nil
}

// start starts a process.
func (s *scenario) start(ctx context.Context) {
	s.set(func(t *tape) { t.late, t.watching, t.leading = false, map[string]bool{}, false })
	s.began = time.Now()
	s.process = start(ctx, s.world, s.namespace, s.tape, s.request)
	s.touch()
}

// startLimit is how long a process that has just been started may make no watch that one made without faults.
const startLimit = 3 * time.Second

// up reports whether the process has begun all the watches that one began without faults, and leads if that one did.
func (s *scenario) up() (up bool) {
	if s.right == nil || time.Since(s.began) > startLimit {
		return true
	}
	s.set(func(t *tape) {
		up = t.leading || t.lost || !s.right.leads
		for target := range s.right.watches {
			up = up && t.watching[target]
		}
	})
	return up
}

// request has the scenario do something at a call, unless the process crashes. It is called by the program's
// goroutines, and done by the scenario's own, so that what it starts is not taken for the program's.
func (s *scenario) request(mode Mode, crashed <-chan struct{}) {
	a := act{mode: mode, done: make(chan struct{})}
	select {
	case s.acts <- a:
		<-a.done
	case <-crashed:
	}
}

func (s *scenario) do(ctx context.Context, mode Mode) error {
	switch mode {
	case Deleted:
		return s.world.delete(ctx, s.namespace)
	case Recreated:
		s.remake = true
		return errors.Join(s.world.delete(ctx, s.namespace), s.makeAgain(ctx))
	case Changed:
		return s.world.change(ctx, s.namespace)
	case Stale:
		process := s.process
		s.later = append(s.later, func(context.Context) error { process.gate.open(); return nil })
	case LeadershipLost:
		s.later = append(s.later, func(ctx context.Context) error {
			s.set(func(t *tape) { t.lost = false })
			return s.holdLeases(ctx, "")
		})
		return s.holdLeases(ctx, "somebody-else")
	}
	return nil
}

// makeAgain makes the first object again, unless it is still there.
func (s *scenario) makeAgain(ctx context.Context) error {
	if !s.remake {
		return nil
	}
	err := s.world.make(ctx, s.namespace, 0)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	s.remake = false
	s.touch()
	return err
}

func (s *scenario) holdLeases(ctx context.Context, holder string) error {
	var names []leaseName
	s.set(func(t *tape) {
		for name := range t.leases {
			names = append(names, name)
		}
	})
	var errs []error
	for _, name := range names {
		errs = append(errs, s.world.hold(ctx, name, holder))
	}
	return errors.Join(errs...)
}

// settle goes on until the program has been quiet for a time.
func (s *scenario) settle(ctx context.Context, quiet time.Duration) error {
	limit := time.Now().Add(settleLimit)
	for {
		if err := s.step(ctx); err != nil {
			return err
		}
		idle := s.idle()
		switch {
		case len(s.problems) > 0:
			return nil
		case time.Now().After(limit):
			s.found(O6, "it has not come to rest within %v; its last calls were %v", settleLimit, s.last(3))
			return nil
		case s.budget > 0 && s.number() > s.budget:
			s.found(O6, "it makes more than %d times as many calls as a run without faults; the last were %v", budgetFactor, s.last(3))
			return nil
		case idle < quiet || !s.up():
			continue
		case len(s.later) > 0:
			later := s.later[0]
			s.later = s.later[1:]
			if err := later(ctx); err != nil {
				return err
			}
			s.touch()
		case s.remake && idle < s.options.Patience:
			// Somebody has yet to take the finalizers off.
		default:
			return nil
		}
	}
}

// budgetFactor is how many times the calls of a run without faults a scenario may make.
const budgetFactor = 10

// steps makes steps for a time.
func (s *scenario) steps(ctx context.Context, during time.Duration) error {
	for end := time.Now().Add(during); time.Now().Before(end); {
		if err := s.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// step waits for a moment and does what is to be done.
func (s *scenario) step(ctx context.Context) error {
	began := time.Now()
	timer := time.NewTimer(tick)
	defer timer.Stop()
	process := s.process
	select {
	case a := <-s.acts:
		err := s.do(ctx, a.mode)
		close(a.done)
		return err
	case <-process.ctx.Done():
		return s.replace(ctx)
	case <-process.done:
		return s.replace(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		s.passed(time.Since(began))
		return s.makeAgain(ctx)
	}
}

// maxRestarts is how many times a program may end by itself.
const maxRestarts = 20

// replace waits for the end of a process and starts the next one.
func (s *scenario) replace(ctx context.Context) error {
	crashed, told := s.process.crashed(), s.process.ctx.Err() != nil
	if err := s.await(ctx, s.process); err != nil {
		s.found(O7, "%v", err)
		return nil
	}
	if !told && s.process.err != nil {
		s.logged("Run returned: " + s.process.err.Error())
		if s.faultless {
			return errInput{fmt.Errorf("the program has ended without a fault, with: %w", s.process.err)}
		}
	}
	if s.restarts++; s.restarts > maxRestarts {
		s.found(O6, "the program has ended %d times, the last time with: %v", s.restarts, s.process.err)
		return nil
	}
	if crashed || !told {
		if err := s.holdLeases(ctx, ""); err != nil { // as if they had expired
			return err
		}
	} else {
		s.examineEnd()
	}
	s.set(func(t *tape) { t.run++ })
	s.start(ctx)
	return nil
}

// await waits for a process, and goes on doing what its calls ask for.
func (s *scenario) await(ctx context.Context, p *process) error {
	result := make(chan error, 1)
	go func() { result <- p.wait() }()
	p.gate.open()
	for {
		select {
		case err := <-result:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		case a := <-s.acts:
			err := s.do(ctx, a.mode)
			close(a.done)
			if err != nil {
				return err
			}
		}
	}
}

// end ends the process of a scenario that is over.
func (s *scenario) end(ctx context.Context) {
	select {
	case <-s.process.done: // by itself
		if s.process.ctx.Err() == nil && s.process.err != nil {
			s.logged("Run returned: " + s.process.err.Error())
		}
	default:
	}
	s.process.end()
	if err := s.await(ctx, s.process); err != nil {
		s.found(O7, "%v", err)
		return
	}
	s.examineEnd()
}

// examineEnd looks at a process that was told to end and has returned.
func (s *scenario) examineEnd() {
	if left := s.process.left(); left != "" {
		s.found(O7, "after Run had returned, %s", left)
	}
}

func (s *scenario) found(oracle Oracle, format string, args ...any) {
	s.problems = append(s.problems, finding{oracle, fmt.Sprintf(format, args...)})
}

// last returns the last calls.
func (s *scenario) last(n int) (words []string) {
	for _, c := range s.all() {
		if !c.internal {
			words = append(words, c.target)
		}
	}
	return words[max(0, len(words)-n):]
}

// tell tells the story up to a phase. In each phase it waits until the program is at rest.
func (s *scenario) tell(ctx context.Context, until phase, quiet time.Duration) error {
	s.start(ctx)
	for now := fromStart; now <= until; now++ {
		if err := s.enter(ctx, now); err != nil {
			return err
		}
		if err := s.settle(ctx, quiet); err != nil || len(s.problems) > 0 {
			return err
		}
		if err := s.clean(ctx, quiet); err != nil {
			return err
		}
	}
	return nil
}

func (s *scenario) enter(ctx context.Context, now phase) error {
	s.set(func(t *tape) { t.phase = now })
	s.touch() // the program is to notice
	switch now {
	case afterChange:
		return s.world.change(ctx, s.namespace)
	case afterDeletion:
		return s.world.delete(ctx, s.namespace)
	}
	return nil
}

// clean is the garbage collector, after which the program may have something to do.
func (s *scenario) clean(ctx context.Context, quiet time.Duration) error {
	for range 10 {
		seen, err := s.world.look(ctx, s.namespace, s.resources())
		if err != nil {
			return err
		}
		collected, err := s.world.collect(ctx, seen)
		if err != nil || collected == 0 {
			return err
		}
		s.touch() // the program is to notice
		if err := s.settle(ctx, quiet); err != nil || len(s.problems) > 0 {
			return err
		}
	}
	s.found(O6, "the program makes again and again what the garbage collector deletes")
	return nil
}

// resources are those that the program was seen to write, and those of its objects.
func (s *scenario) resources() []schema.GroupResource {
	return s.world.resources(s.all(), s.options.Ignore)
}
