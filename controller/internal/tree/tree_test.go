// SPDX-License-Identifier: Apache-2.0

package tree_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/tree"
)

type key string

var errEnd = errors.New("the end")

// ends returns a context with a value, and what ends it.
func ends(t *testing.T) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), key("of"), "ends"))
	t.Cleanup(func() { cancel(nil) })
	return ctx, cancel
}

// TestC3AContextOfAnEndedParentHasEnded looks at once, without letting any other goroutine run: nothing
// that is made from a context which has ended lives on for a moment.
func TestC3AContextOfAnEndedParentHasEnded(t *testing.T) {
	for name, derive := range map[string]func(context.Context) (context.Context, func()){
		"New": func(parent context.Context) (context.Context, func()) {
			ctx, _, release := tree.New(parent)
			return ctx, release
		},
		"a child of New": func(parent context.Context) (context.Context, func()) {
			ctx, _, release := tree.New(parent)
			child, cancel := context.WithCancel(ctx)
			return child, func() { cancel(); release() }
		},
		"WithValues": func(parent context.Context) (context.Context, func()) {
			return tree.WithValues(parent, t.Context()), func() {}
		},
		"a child of WithValues": func(parent context.Context) (context.Context, func()) {
			child, cancel := context.WithCancel(tree.WithValues(parent, t.Context()))
			return child, cancel
		},
		"Drain of lost leadership": func(lost context.Context) (context.Context, func()) {
			return tree.Drain(t.Context(), lost, nil, time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 200 {
				parent, cancel := ends(t)
				cancel(errEnd)
				ctx, release := derive(parent)
				if ctx.Err() == nil || !errors.Is(context.Cause(ctx), errEnd) {
					t.Fatalf("it is alive (%v), with the cause %v", ctx.Err(), context.Cause(ctx))
				}
				release()
			}
		})
	}
}

// TestC3TheEndIsTheSameInstant ends a context, and looks at once at those that were made from it.
func TestC3TheEndIsTheSameInstant(t *testing.T) {
	for range 200 {
		parent, cancel := ends(t)
		joined, stop := context.WithCancel(tree.WithValues(parent, t.Context()))
		draining, release := tree.Drain(t.Context(), parent, nil, time.Hour)
		root, _, releaseRoot := tree.New(parent)
		cancel(errEnd)
		for name, ctx := range map[string]context.Context{"WithValues": joined, "Drain": draining, "New": root} {
			if ctx.Err() == nil || !errors.Is(context.Cause(ctx), errEnd) {
				t.Fatalf("%s is alive (%v), with the cause %v", name, ctx.Err(), context.Cause(ctx))
			}
		}
		stop()
		release()
		releaseRoot()
	}
}

// TestC3ADrainForWhichThereIsNoTimeEndsWithTheRoot is told to hurry before the end, and looks at once at
// what items run on.
func TestC3ADrainForWhichThereIsNoTimeEndsWithTheRoot(t *testing.T) {
	hurry := make(chan struct{})
	close(hurry)
	for name, atEnd := range map[string]func(end func(error), cancel context.CancelCauseFunc){
		"the parent ends": func(_ func(error), cancel context.CancelCauseFunc) { cancel(errEnd) },
		"a part fails":    func(end func(error), _ context.CancelCauseFunc) { end(cause.ComponentFailed.With(errEnd)) },
	} {
		t.Run(name, func(t *testing.T) {
			for range 200 {
				parent, cancel := ends(t)
				root, end, release := tree.New(parent)
				below, stop := context.WithCancel(root)
				draining, releaseDrain := tree.Drain(below, nil, hurry, time.Hour)
				item, stopItem := context.WithCancel(draining)
				if item.Err() != nil {
					t.Fatal("it has ended before the end")
				}
				atEnd(end, cancel)
				late, releaseLate := tree.Drain(root, nil, hurry, time.Hour)
				for name, ctx := range map[string]context.Context{"the root": root, "the drain": draining, "an item": item, "a drain made later": late} {
					if ctx.Err() == nil || !errors.Is(context.Cause(ctx), errEnd) {
						t.Fatalf("%s is alive (%v), with the cause %v", name, ctx.Err(), context.Cause(ctx))
					}
				}
				if !errors.Is(context.Cause(item), tree.ErrDrainCutShort) {
					t.Fatalf("the item ended because of %v", context.Cause(item))
				}
				stop()
				stopItem()
				releaseDrain()
				releaseLate()
				release()
			}
		})
	}
}

func TestValuesComeFromBothAndTheEndFromOne(t *testing.T) {
	parent, cancel := ends(t)
	values, cancelValues := context.WithCancel(context.WithValue(t.Context(), key("more"), "values"))
	ctx := tree.WithValues(parent, values)
	cancelValues()
	if ctx.Err() != nil || context.Cause(ctx) != nil || ctx.Value(key("of")) != "ends" || ctx.Value(key("more")) != "values" {
		t.Errorf("%v, %v, %v, %v", ctx.Err(), context.Cause(ctx), ctx.Value(key("of")), ctx.Value(key("more")))
	}
	cancel(errEnd)
	if !errors.Is(context.Cause(ctx), errEnd) {
		t.Errorf("it ended because of %v", context.Cause(ctx))
	}
}

func TestC2TheRootEndsWithItsParentAndSaysSo(t *testing.T) {
	parent, cancel := ends(t)
	root, _, release := tree.New(parent)
	defer release()
	if root.Err() != nil || root.Value(key("of")) != "ends" {
		t.Errorf("it has ended, or lost its values: %v", root.Err())
	}
	cancel(errEnd)
	<-root.Done()
	if why := context.Cause(root); !errors.Is(why, cause.Shutdown) || !errors.Is(why, errEnd) {
		t.Errorf("it ended because of %v", why)
	}
}

func TestC6ADrainEndsAfterItsGraceOrWhenToldToHurry(t *testing.T) {
	for name, test := range map[string]struct {
		hurry time.Duration // after the end; negative: before it
		after time.Duration
		want  error
	}{
		"its grace is over":      {hurry: time.Hour, after: 10 * time.Second, want: cause.DrainExpired},
		"hurry while it drains":  {hurry: 3 * time.Second, after: 3 * time.Second, want: tree.ErrDrainCutShort},
		"hurry before the drain": {hurry: -time.Second, after: 0, want: tree.ErrDrainCutShort},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, end := context.WithCancelCause(t.Context())
				hurry := make(chan struct{})
				draining, release := tree.Drain(ctx, nil, hurry, 10*time.Second)
				defer release()
				time.Sleep(time.Minute)
				if test.hurry < 0 {
					close(hurry)
					time.Sleep(time.Second)
				}
				if draining.Err() != nil {
					t.Errorf("it ended before ctx did: %v", context.Cause(draining))
				}
				end(errEnd)
				ended := time.Now()
				if test.hurry >= 0 {
					time.AfterFunc(test.hurry, func() { close(hurry) })
				}
				<-draining.Done()
				why := context.Cause(draining)
				if time.Since(ended) != test.after || !errors.Is(why, test.want) || !errors.Is(why, errEnd) {
					t.Errorf("it ended after %v, because of %v", time.Since(ended), why)
				}
				if test.hurry > 0 {
					time.Sleep(2 * time.Hour) // the timer of the test
				}
			})
		})
	}
}

func TestADrainIsReleasedBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		draining, release := tree.Drain(t.Context(), nil, nil, time.Hour)
		release()
		if !errors.Is(context.Cause(draining), cause.Shutdown) {
			t.Errorf("released, it ended because of %v", context.Cause(draining))
		}
	})
}

// TestC3ADrainWhoseGraceIsKnownAtTheEndIsNoneIfThereIsNone at the end.
func TestC3ADrainWhoseGraceIsKnownAtTheEndIsNoneIfThereIsNone(t *testing.T) {
	for name, test := range map[string]struct {
		at, atEnd time.Duration
		want      error
	}{
		"none any more": {time.Hour, 0, errEnd},
		"only later":    {0, 10 * time.Second, cause.DrainExpired},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				root, end, release := tree.New(t.Context())
				defer release()
				grace := test.at
				draining, releaseDrain := tree.DrainForAll(root, nil, func() time.Duration { return grace })
				defer releaseDrain()
				grace = test.atEnd
				ended := time.Now()
				end(errEnd)
				if (draining.Err() != nil) != (grace == 0) {
					t.Errorf("in the instant of the end: %v", draining.Err())
				}
				<-draining.Done()
				if why := context.Cause(draining); time.Since(ended) != grace || !errors.Is(why, test.want) || !errors.Is(why, errEnd) {
					t.Errorf("it ended after %v, because of %v", time.Since(ended), why)
				}
			})
		})
	}
}

// TestC3WhoSeesTheEndOfADrainSeesTheEndOfTheOneForAll asks on the goroutine that a drain's end has waked,
// while the end goes on.
func TestC3WhoSeesTheEndOfADrainSeesTheEndOfTheOneForAll(t *testing.T) {
	hour := func() time.Duration { return time.Hour }
	for name, end := range map[string]func(end context.CancelCauseFunc, hurry chan struct{}){
		"told before the end":   func(end context.CancelCauseFunc, hurry chan struct{}) { close(hurry); end(errEnd) },
		"told during the drain": func(end context.CancelCauseFunc, hurry chan struct{}) { end(errEnd); close(hurry) },
	} {
		t.Run(name, func(t *testing.T) {
			for range 1000 {
				root, endRoot, release := tree.New(t.Context())
				hurry := make(chan struct{})
				var group sync.WaitGroup
				all, releaseAll := tree.DrainForAll(root, hurry, hour)
				for range 4 {
					draining, releaseDrain := tree.Drain(root, nil, hurry, time.Hour)
					group.Go(func() {
						<-draining.Done()
						if all.Err() == nil || !errors.Is(context.Cause(all), errEnd) {
							t.Errorf("the drain for all is alive (%v), with the cause %v", all.Err(), context.Cause(all))
						}
						releaseDrain()
					})
				}
				end(endRoot, hurry)
				group.Wait()
				releaseAll()
				release()
				if t.Failed() {
					return
				}
			}
		})
	}
}

// TestC6TheDrainForAllIsOverWhenAnotherOfItsLengthIs asks in the instant in which the other ends.
func TestC6TheDrainForAllIsOverWhenAnotherOfItsLengthIs(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			root, end, release := tree.New(t.Context())
			defer release()
			draining, releaseDrain := tree.Drain(root, nil, nil, time.Second)
			defer releaseDrain()
			all, releaseAll := tree.DrainForAll(root, nil, func() time.Duration { return time.Second })
			defer releaseAll()
			end(errEnd)
			if all.Err() != nil {
				t.Error("there was no time at all")
			}
			<-draining.Done()
			if !errors.Is(context.Cause(all), cause.DrainExpired) && all.Err() == nil {
				t.Error("the drain for all goes on")
			}
		})
	}
}
