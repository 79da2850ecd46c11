// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/tree"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// story keeps what happens, in order.
type story struct {
	mu    sync.Mutex
	lines []string
}

func (s *story) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *story) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

// part is a runner that takes a time to return after its end.
type part struct {
	*story
	kind  report.Kind
	name  string
	takes time.Duration
	fails error // at once
}

func (p *part) Unit() *work.Unit { return &work.Unit{Kind: p.kind, Owner: p.name} }

func (p *part) Run(ctx context.Context) error {
	if p.fails != nil {
		return p.fails
	}
	<-ctx.Done()
	p.add("end of " + p.name)
	time.Sleep(p.takes)
	p.add(p.name + " has returned")
	return ctx.Err()
}

// lease is a lease whose watch is a part.
type lease struct {
	part
	watch part
}

func (l *lease) Watcher() lifecycle.Runner { return &l.watch }
func (l *lease) Release(context.Context)   { l.add("released") }
func (l *lease) Abandon()                  { l.add("abandoned") }

// execute runs a plan and ends it after a second.
func execute(t *testing.T, plan func(*story) *lifecycle.Plan) (*story, time.Duration, *lifecycle.Run, error) {
	t.Helper()
	s := &story{}
	root, end, release := tree.New(t.Context())
	defer release()
	run := lifecycle.NewRun(&work.Registry{}, false, end)
	p := plan(s)
	p.Flush = func(context.Context) <-chan struct{} {
		s.add("flushed")
		done := make(chan struct{})
		close(done)
		return done
	}
	timer := time.AfterFunc(time.Second, func() { end(cause.Shutdown) })
	defer timer.Stop()
	took, err := run.Execute(root, p)
	return s, took, run, err
}

func parts(s *story) *lifecycle.Plan {
	plan := &lifecycle.Plan{
		ShutdownTimeout: time.Minute,
		Leases: []lifecycle.Lease{&lease{
			part:  part{story: s, kind: report.Leadership, name: "leader", takes: time.Second},
			watch: part{story: s, kind: report.Informer, name: "watch", takes: 2 * time.Second},
		}},
	}
	plan.Add(lifecycle.Workers, &part{story: s, kind: report.Controller, name: "worker", takes: 3 * time.Second})
	plan.Add(lifecycle.Informers, &part{story: s, kind: report.Informer, name: "informer", takes: 4 * time.Second})
	plan.Add(lifecycle.Runnables, &part{story: s, kind: report.Runnable, name: "runnable", takes: 9 * time.Second})
	plan.Add(lifecycle.Servers, &part{story: s, kind: report.Runnable, name: "server", takes: time.Second})
	return plan
}

func TestC8TheEndWaitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, took, run, err := execute(t, parts)
		if err != nil || took != 10*time.Second || run.Failures() != nil {
			t.Errorf("%v after %v, failures: %v", err, took, run.Failures())
		}
		// All ends come in one instant, in any order, but for those of the watch and the server.
		lines := s.list()
		slices.Sort(lines[:4])
		want := []string{
			"end of informer", "end of leader", "end of runnable", "end of worker",
			"leader has returned", "worker has returned", "end of watch", "informer has returned", "watch has returned",
			"flushed", "released", "runnable has returned", "end of server", "server has returned",
		}
		if !slices.Equal(lines, want) {
			t.Errorf("%q\nwant\n%q", lines, want)
		}
	})
}

func TestC7ALeaseIsAbandonedWhenSomethingHasNotReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, took, _, err := execute(t, func(s *story) *lifecycle.Plan {
			plan := parts(s)
			plan.ShutdownTimeout = 2 * time.Second // the worker takes three
			return plan
		})
		if err == nil || took != 2*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		lines := s.list()
		if slices.Contains(lines, "released") || !slices.Contains(lines, "abandoned") || !slices.Contains(lines, "flushed") {
			t.Errorf("%q", lines)
		}
		time.Sleep(time.Minute)
	})
}

func TestAFailureEndsEverythingAndIsTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no disk")
		_, took, run, err := execute(t, func(s *story) *lifecycle.Plan {
			plan := parts(s)
			plan.Add(lifecycle.Runnables, &part{story: s, kind: report.Runnable, name: "broken", fails: broken})
			return plan
		})
		if failed := run.Failures(); err != nil || took != 10*time.Second || !errors.Is(failed, broken) || failed.Error() != `runnable "broken": no disk` {
			t.Errorf("%v after %v, failures: %v", err, took, run.Failures())
		}
	})
}

func TestNothingStartsOnARootThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		root, end, release := tree.New(t.Context())
		defer release()
		end(cause.Shutdown)
		plan := parts(s)
		plan.Flush = func(context.Context) <-chan struct{} { done := make(chan struct{}); close(done); return done }
		if _, err := lifecycle.NewRun(&work.Registry{}, false, end).Execute(root, plan); err != nil {
			t.Error(err)
		}
		if lines := s.list(); !slices.Equal(lines, []string{"released"}) {
			t.Errorf("%q", lines)
		}
	})
}

func TestWhatIsAddedLaterRunsAndIsWaitedForInItsClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		root, end, release := tree.New(t.Context())
		defer release()
		run := lifecycle.NewRun(&work.Registry{}, false, end)
		plan := &lifecycle.Plan{ShutdownTimeout: time.Minute}
		plan.Flush = func(context.Context) <-chan struct{} { done := make(chan struct{}); close(done); return done }
		time.AfterFunc(time.Second, func() {
			run.Add(lifecycle.Servers, &part{story: s, kind: report.Runnable, name: "server"})
			run.Add(lifecycle.Workers, &part{story: s, kind: report.Controller, name: "worker", takes: time.Second})
			synctest.Wait()
			end(cause.Shutdown)
		})
		if took, err := run.Execute(root, plan); err != nil || took != time.Second {
			t.Errorf("%v after %v", err, took)
		}
		want := []string{"end of worker", "worker has returned", "end of server", "server has returned"}
		if lines := s.list(); !slices.Equal(lines, want) {
			t.Errorf("%q\nwant\n%q", lines, want)
		}
	})
}
