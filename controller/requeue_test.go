// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/lanyard-k8s/lanyard/controller"
)

// returns is what one reconcile returns. It is asked when the reconcile runs.
type returns func() (controller.Result, error)

func after(d time.Duration) returns {
	return func() (controller.Result, error) { return controller.Result{RequeueAfter: d}, nil }
}

func at(fromNow time.Duration) returns {
	return func() (controller.Result, error) {
		return controller.Result{RequeueAt: time.Now().Add(fromNow)}, nil
	}
}

func both(d, fromNow time.Duration) returns {
	return func() (controller.Result, error) {
		return controller.Result{RequeueAfter: d, RequeueAt: time.Now().Add(fromNow)}, nil
	}
}

// failing fails after a result was made.
func (r returns) failing(err error) returns {
	return func() (controller.Result, error) {
		result, _ := r()
		return result, err
	}
}

// script reconciles one object, "a", with a list of what its reconciles return; after the last one
// they return nil.
type script struct {
	w     *world
	c     *controller.Controller[*configMapType]
	run   *running
	began time.Time
	runs  runs
}

func play(t *testing.T, options controller.Options, list ...returns) *script {
	s := &script{w: newWorld(t), began: time.Now()}
	s.w.add("a")
	m := newManager(controller.ManagerOptions{})
	calls := 0
	reconcile := func(ctx context.Context) (controller.Result, error) {
		s.runs.add("%v attempt %d", time.Since(s.began), controller.Attempt(ctx))
		if calls++; calls > len(list) {
			return controller.Result{}, nil
		}
		return list[calls-1]()
	}
	if options.OnDeleted == nil {
		options.OnDeleted = func(ctx context.Context, _ controller.Request) (controller.Result, error) {
			s.runs.add("deleted")
			return reconcile(ctx)
		}
	}
	s.c = controller.New(m, "c", s.w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
		return reconcile(ctx)
	}, options)
	s.run = start(t, t.Context(), m)
	synctest.Wait()
	return s
}

// event changes the object.
func (s *script) event() {
	s.w.Modify(configMap("a"))
	synctest.Wait()
}

// expect compares when reconciles began, and the number of their attempt where that is not 1.
func (s *script) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for _, run := range s.runs.get() {
		got = append(got, strings.TrimSuffix(run, " attempt 1"))
	}
	if !slices.Equal(got, want) {
		t.Errorf("reconciled at %q, want %q", got, want)
	}
}

func TestAResultSaysWhenTheObjectIsReconciledAgain(t *testing.T) {
	for name, test := range map[string]struct {
		result returns
		want   string // when; empty: never
	}{
		"nothing":      {after(0), ""},
		"a time later": {after(time.Hour), "1h0m0s"},
		"a time that is late by a moment: case 6": {after(-time.Millisecond), "0s"},
		"a time that is late by a year":           {after(-365 * 24 * time.Hour), "0s"},
		"at a time to come":                       {at(time.Hour), "1h0m0s"},
		"at a time that is now":                   {at(0), "0s"},
		"at a time that has passed":               {at(-time.Hour), "0s"},
		"both, the time is earlier":               {both(time.Hour, time.Minute), "1m0s"},
		"both, the duration is earlier":           {both(time.Minute, time.Hour), "1m0s"},
		"both, the duration is negative":          {both(-1, time.Hour), "0s"},
		"both, the time has passed":               {both(time.Hour, -time.Hour), "0s"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := play(t, controller.Options{}, test.result)
				time.Sleep(24 * time.Hour)
				want, stats := []string{"0s"}, controller.Stats{Done: 1}
				if test.want != "" {
					want, stats = append(want, test.want), controller.Stats{Done: 1, Requeued: 1}
				}
				s.expect(t, want...)
				if got := s.c.Stats(); got.Done != stats.Done || got.Requeued != stats.Requeued {
					t.Errorf("counted %+v, want %+v", got, stats)
				}
			})
		})
	}
}

// TestTheLastResultDecides is case 7 and its siblings: an event comes before the time that a
// reconcile has asked for.
func TestTheLastResultDecides(t *testing.T) {
	broken := errors.New("broken")
	slow := workqueueBackoff(time.Hour)
	for name, test := range map[string]struct {
		first, second returns
		want          []string
	}{
		"it asks for nothing: case 7":   {after(time.Hour), after(0), nil},
		"it asks for a later time":      {after(time.Hour), after(2 * time.Hour), []string{"2h10m0s"}},
		"it asks for an earlier time":   {after(time.Hour), after(time.Minute), []string{"11m0s"}},
		"it asks for the same time":     {after(time.Hour), after(50 * time.Minute), []string{"1h0m0s"}},
		"a time, and nothing":           {at(time.Hour), after(0), nil},
		"after an error, for nothing":   {after(0).failing(broken), after(0), nil},
		"after an error, for a time":    {after(0).failing(broken), after(5 * time.Hour), []string{"5h10m0s"}},
		"it fails":                      {after(time.Hour), after(0).failing(broken), []string{"1h10m0s attempt 2"}},
		"it fails for good":             {after(time.Hour), after(0).failing(controller.TerminalError(broken)), nil},
		"after a time that was at once": {after(-1), after(0), nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				list := []returns{test.first, test.second}
				if name == "after a time that was at once" {
					list = []returns{test.first, after(time.Hour), test.second}
				}
				s := play(t, controller.Options{Backoff: slow()}, list...)
				time.Sleep(10 * time.Minute)
				before := len(s.runs.get())
				s.event()
				time.Sleep(24 * time.Hour)
				synctest.Wait()
				var got []string
				for _, run := range s.runs.get()[before+1:] {
					got = append(got, strings.TrimSuffix(run, " attempt 1"))
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("after the event reconciled at %q, want %q", got, test.want)
				}
			})
		})
	}
}

func TestATimeTogetherWithAnErrorTakesThePlaceOfTheBackOff(t *testing.T) {
	broken := errors.New("broken")
	terminal := controller.TerminalError(broken)
	for name, test := range map[string]struct {
		list  []returns
		want  []string
		stats controller.Stats
	}{
		"a longer time": {
			[]returns{after(time.Hour).failing(broken)},
			[]string{"0s", "1h0m0s attempt 2"}, controller.Stats{Retried: 1, Done: 1},
		},
		"a shorter time": {
			[]returns{after(time.Millisecond).failing(broken), at(time.Millisecond).failing(broken), at(-1).failing(broken)},
			[]string{"0s", "1ms attempt 2", "2ms attempt 3", "2ms attempt 4"}, controller.Stats{Retried: 3, Done: 1},
		},
		"and the back-off grows all the same": {
			[]returns{after(time.Hour).failing(broken), after(time.Hour).failing(broken), after(0).failing(broken)},
			[]string{"0s", "1h0m0s attempt 2", "2h0m0s attempt 3", "2h0m4s attempt 4"}, controller.Stats{Retried: 3, Done: 1},
		},
		"with a terminal error": {
			[]returns{after(time.Hour).failing(terminal), at(-1).failing(terminal), after(0).failing(terminal)},
			[]string{"0s", "1h0m0s", "1h0m0s"}, controller.Stats{Terminal: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := play(t, controller.Options{Backoff: workqueueBackoff(time.Second)()}, test.list...)
				time.Sleep(24 * time.Hour)
				s.expect(t, test.want...)
				if got := s.c.Stats(); got.Retried != test.stats.Retried || got.Terminal != test.stats.Terminal || got.Done != test.stats.Done {
					t.Errorf("counted %+v, want %+v", got, test.stats)
				}
				if failures := strings.Count(s.run.log.String(), "level=ERROR"); failures != int(s.c.Stats().Failures()) {
					t.Errorf("%d errors were logged, want %d:\n%s", failures, s.c.Stats().Failures(), s.run.log)
				}
			})
		})
	}
}

// TestAnErrorIsLoggedWithTheTimeOfTheNextTry because an operator wants to know whether to wait for it.
func TestAnErrorIsLoggedWithTheTimeOfTheNextTry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broken := errors.New("broken")
		s := play(t, controller.Options{}, after(time.Hour).failing(controller.TerminalError(broken)), after(0).failing(controller.TerminalError(broken)))
		time.Sleep(24 * time.Hour)
		log := s.run.log.String()
		if !strings.Contains(log, "trying again when it asked for it") || !strings.Contains(log, "again=1h0m0s") {
			t.Errorf("the log does not say when it is tried again:\n%s", log)
		}
		if strings.Count(log, "waiting for a change") != 1 {
			t.Errorf("the log does not say that the last one is not tried again:\n%s", log)
		}
	})
}

// TestAnObjectThatComesBackAtOnceStarvesNobody also when everything else waits with low priority.
func TestAnObjectThatComesBackAtOnceStarvesNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 20 {
			w.add(fmt.Sprint("other-", i))
		}
		w.add("busy")
		m := newManager(controller.ManagerOptions{})
		var busy, others atomic.Int32
		controller.New(m, "c", w.informer(), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			time.Sleep(time.Second)
			if cm.Name == "busy" {
				busy.Add(1)
				return controller.Result{RequeueAfter: -1}, nil
			}
			others.Add(1)
			return controller.Result{}, nil
		}, controller.Options{})
		start(t, t.Context(), m)
		time.Sleep(200 * time.Second)
		if others.Load() != 20 || busy.Load() < 100 {
			t.Errorf("%d of 20 others were reconciled, and %d times the one that comes back", others.Load(), busy.Load())
		}
		for i := range 20 {
			w.Modify(configMap(fmt.Sprint("other-", i)))
		}
		time.Sleep(25 * time.Second)
		if others.Load() != 40 {
			t.Errorf("%d of 20 others were reconciled after their events", others.Load()-20)
		}
	})
}
