// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// Explore tries every fault at every call of a program, and fails the test for what the oracles find. config is an
// administrator's for the API server; the program's clients have its credentials.
//
// With the flag -fault it tries that plan only. The test takes as long as the number of calls and modes wants;
// see [Options].Budget.
func Explore(t testing.TB, config *rest.Config, program Program, options Options) {
	t.Helper()
	report, err := Run(t.Context(), config, program, options)
	if err != nil {
		t.Fatalf("faulttest: %v", err)
	}
	for i := range report.Failures {
		t.Error(report.Failures[i].text(t.Name()))
	}
	t.Log(report.summary())
}

// explorer is an exploration.
type explorer struct {
	options Options
	world   *world
	began   time.Time
	random  *rand.Rand
	foreign bool // the program is not built with Lanyard: of its calls nobody knows whose they are

	mu         sync.Mutex
	references map[story]*lazyReference
	report     *Report
	passed     []trace
	broken     error
}

// lazyReference is made when it is wanted.
type lazyReference struct {
	once sync.Once
	made *reference
	err  error
}

// trace is the calls of a scenario after its fault.
type trace struct {
	plan  Plan
	after []point
}

// job is a plan to try.
type job struct{ plan Plan }

// Run is Explore without a test. The error says what makes exploring senseless: a program that does different things
// each time, that does not come to rest, or that does not use the config.
func Run(ctx context.Context, config *rest.Config, program Program, options Options) (*Report, error) {
	options.setDefaults()
	if err := program.validate(&options); err != nil {
		return nil, err
	}
	w, err := newWorld(config, &program)
	if err != nil {
		return nil, err
	}
	x := &explorer{
		options: options, world: w, began: time.Now(), references: map[story]*lazyReference{},
		random: rand.New(rand.NewPCG(options.Seed, 0)), //nolint:gosec // for a sample
		report: &Report{Seed: options.Seed},
	}
	if *planFlag != "" {
		err = x.only(ctx, *planFlag)
	} else {
		err = x.explore(ctx)
	}
	x.report.Took = time.Since(x.began)
	return x.report, err
}

// only tries a plan.
func (x *explorer) only(ctx context.Context, text string) error {
	plan, err := ParsePlan(text)
	if err != nil {
		return err
	}
	if plan[0].target == atRest {
		of := story{until: plan[0].phase, then: plan[0].Mode}
		if _, err = x.reference(ctx, of); err != nil && x.report.addAtRest(of, err) {
			err = nil
		}
		return err
	}
	right, err := x.reference(ctx, storyOf(plan))
	if err != nil {
		return err
	}
	x.foreign = !right.tells
	result, err := x.try(ctx, plan, x.quiet())
	if err != nil {
		return err
	}
	x.report.add(result, 1, 1)
	x.report.Missed = len(result.missed())
	x.report.Calls = result.lines()
	return nil
}

func (x *explorer) explore(ctx context.Context) error {
	whole, err := x.reference(ctx, story{until: afterDeletion})
	if err != nil {
		return err
	}
	if len(whole.points) == 0 {
		return errors.New("the program makes no calls besides those of its caches, so there is nothing to put a fault at: " +
			"do Program.Objects give it something to do?")
	}
	x.report.Points = len(whole.points)
	x.foreign = !whole.tells
	jobs := x.singles(whole)
	jobs, err = x.prepare(ctx, jobs)
	if err != nil {
		return err
	}
	x.report.Prepared = time.Since(x.began)
	x.report.Planned = len(jobs)
	if expected := x.expected(whole, len(jobs)); x.options.Budget > 0 && expected > x.options.Budget {
		x.random.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
	}
	if err := x.all(ctx, jobs); err != nil {
		return err
	}
	x.report.Sampled = x.report.Scenarios < x.report.Planned
	if !x.options.Pairs {
		return nil
	}
	return x.pairs(ctx, whole)
}

// singles are all faults at all calls.
func (x *explorer) singles(whole *reference) (jobs []job) {
	owners := ownersOf(whole.points)
	for i := range whole.points {
		for _, mode := range x.options.Modes {
			if p := &whole.points[i]; mode.fits(p, whole.leads) {
				jobs = append(jobs, job{Plan{p.fault(mode, owners)}})
			}
		}
	}
	return jobs
}

// prepare makes the references that jobs need, several at the same time. It returns the jobs for which there is one.
func (x *explorer) prepare(ctx context.Context, jobs []job) ([]job, error) {
	stories := map[story]error{}
	for _, j := range jobs {
		stories[storyOf(j.plan)] = nil
	}
	var mu sync.Mutex
	turns := make(chan struct{}, x.options.Parallel)
	var all sync.WaitGroup
	for of := range maps.Clone(stories) {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			_, err := x.reference(ctx, of)
			mu.Lock()
			defer mu.Unlock()
			stories[of] = err
		})
	}
	all.Wait()
	for of, err := range stories {
		if err != nil && !x.report.addAtRest(of, err) {
			return nil, err
		}
	}
	return slices.DeleteFunc(jobs, func(j job) bool { return stories[storyOf(j.plan)] != nil }), nil
}

// storyOf is what happens in the scenario of a plan besides its faults.
func storyOf(plan Plan) story {
	return story{until: plan.phase(), then: plan.world().Mode.orNothing()}
}

// expected is a guess at the time that jobs take.
func (x *explorer) expected(whole *reference, jobs int) time.Duration {
	settling := time.Duration(afterDeletion+1) * (x.options.Settle - x.quiet())
	each := max(whole.took-settling, x.quiet())
	return time.Since(x.began) + each*time.Duration(jobs)/time.Duration(x.options.Parallel)
}

// quiet is for how long a program must be quiet to be at rest.
func (x *explorer) quiet() time.Duration {
	if x.options.Quiet == 0 && x.foreign {
		return foreignQuiet
	}
	return cmp.Or(x.options.Quiet, defaultQuiet)
}

func (x *explorer) over() bool {
	return x.options.Budget > 0 && time.Since(x.began) > x.options.Budget
}

// all tries plans, several at the same time.
func (x *explorer) all(ctx context.Context, jobs []job) error {
	todo := make(chan job)
	var workers sync.WaitGroup
	for range x.options.Parallel {
		workers.Go(func() {
			for j := range todo {
				x.one(ctx, j.plan)
			}
		})
	}
	for _, j := range jobs {
		if x.over() || ctx.Err() != nil || x.isBroken() != nil {
			break
		}
		todo <- j
	}
	close(todo)
	workers.Wait()
	return errors.Join(x.isBroken(), context.Cause(ctx))
}

func (x *explorer) isBroken() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.broken
}

// one tries a plan, and makes sure of a failure.
func (x *explorer) one(ctx context.Context, plan Plan) {
	result, err := x.try(ctx, plan, x.quiet())
	if err == nil && len(result.problems) > 0 && !x.report.known(result) {
		result, err = x.shrink(ctx, result)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		x.broken = errors.Join(x.broken, fmt.Errorf("with the plan %q: %w", plan, err))
		return
	}
	x.report.Scenarios++
	switch {
	case len(result.problems) > 0 && result.seen > 0:
		x.report.add(result, result.seen, result.tried)
	case len(result.problems) > 0:
		x.report.Unsure = append(x.report.Unsure, fmt.Sprintf("%s: %s", plan, result.problems[0].text))
	case len(result.missed()) > 0:
		x.report.Missed++
	default:
		x.passed = append(x.passed, trace{plan, result.afterFault()})
	}
}

// result is a scenario that is over.
type result struct {
	*scenario
	seen, tried int // how often the plan has failed, of how often it was tried
}

// try runs the scenario of a plan.
func (x *explorer) try(ctx context.Context, plan Plan, quiet time.Duration) (_ *result, err error) {
	right, err := x.reference(ctx, storyOf(plan))
	if err != nil {
		return nil, err
	}
	s, err := x.newScenario(ctx, plan)
	if err != nil {
		return nil, err
	}
	s.right, s.quietly = right, quiet
	s.budget = budgetFactor * max(right.calls, 10)
	defer func() { err = errors.Join(err, x.remove(ctx, s)) }()
	if err = s.tell(ctx, plan.phase(), quiet); err != nil {
		s.end(ctx)
		return nil, err
	}
	if len(s.problems) > 0 {
		s.end(ctx)
	} else if err = s.judge(ctx, right); err != nil {
		return nil, err
	}
	r := &result{scenario: s, tried: 1}
	if len(s.problems) > 0 {
		r.seen = 1
	}
	return r, nil
}

// orNothing is the mode, if somebody else acts.
func (m Mode) orNothing() Mode {
	if m.world() {
		return m
	}
	return ""
}

// reference returns what is right at the end of a story.
func (x *explorer) reference(ctx context.Context, of story) (*reference, error) {
	x.mu.Lock()
	lazy := x.references[of]
	if lazy == nil {
		lazy = &lazyReference{}
		x.references[of] = lazy
	}
	x.mu.Unlock()
	lazy.once.Do(func() { lazy.made, lazy.err = x.refer(ctx, of) })
	return lazy.made, lazy.err
}

// remove removes what is left of a scenario.
func (x *explorer) remove(ctx context.Context, s *scenario) error {
	if s.process != nil {
		s.process.crash(ErrCrashed)
	}
	if ctx.Err() != nil {
		return nil
	}
	return x.world.remove(ctx, s.namespace, s.world.resources(s.all(), nil))
}

// afterFault returns the calls that a second fault can be put at.
func (s *scenario) afterFault() (points []point) {
	after := false
	for _, c := range s.all() {
		if after && !c.internal && c.check == noCheck && !c.late {
			points = append(points, c.point)
		}
		after = after || c.fault != ""
	}
	return points
}
