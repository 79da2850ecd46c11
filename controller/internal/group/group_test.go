// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/bubbletest"
	"github.com/lanyard-k8s/lanyard/controller/internal/group"
)

func TestWaitReturnsWhenTheLastHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g group.Group
		for n := range 3 {
			g.Go(func() { time.Sleep(time.Duration(n+1) * time.Second) })
		}
		began := time.Now()
		if err := g.Wait(t.Context()); err != nil || time.Since(began) != 3*time.Second {
			t.Errorf("it returned %v after %v", err, time.Since(began))
		}
	})
}

func TestWaitOnAnEmptyGroupReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g group.Group
		began := time.Now()
		if err := g.Wait(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("it returned %v after %v", err, time.Since(began))
		}
	})
}

func TestWaitReturnsTheCauseOfItsContextAndMayBeCalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g group.Group
		g.Go(func() { time.Sleep(time.Minute) })
		limit := errors.New("the time for the end is over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, limit)
		defer cancel()
		before := bubbletest.Goroutines()
		if err := g.Wait(ctx); !errors.Is(err, limit) {
			t.Errorf("it returned %v, want %v", err, limit)
		}
		if err := g.Wait(ctx); !errors.Is(err, limit) {
			t.Errorf("on a context that has ended it returned %v, want %v", err, limit)
		}
		if after := bubbletest.Goroutines(); after > before {
			t.Errorf("there are %d goroutines after it and %d before", after, before)
		}
		if err := g.Wait(t.Context()); err != nil {
			t.Errorf("with more time it returned %v", err)
		}
	})
}

func TestWaitReturnsNilWhereAllHaveReturnedAndItsContextHasEndedToo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 200 {
		var g group.Group
		g.Go(func() {})
		_ = g.Wait(t.Context())
		if err := g.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingStartsInAClosedGroupAndWhatRunsGoesOn(t *testing.T) {
	for name, end := range map[string]func(*group.Group, context.Context){
		"Close": func(g *group.Group, _ context.Context) {
			g.Close()
			g.Close()
		},
		"Wait": func(g *group.Group, ended context.Context) { _ = g.Wait(ended) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				var g group.Group
				finished, late := false, false
				g.Go(func() {
					time.Sleep(time.Second)
					finished = true
				})
				end(&g, ended)
				g.Go(func() { late = true })
				if err := g.Wait(t.Context()); err != nil || !finished || late {
					t.Errorf(
						"err %v, what ran has finished: %v, a late one ran: %v",
						err,
						finished,
						late,
					)
				}
				synctest.Wait()
			})
		})
	}
}

func TestAGoroutineThatExitsHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g group.Group
		g.Go(func() { runtime.Goexit() }) // as t.FailNow does
		if err := g.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
