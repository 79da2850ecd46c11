// SPDX-License-Identifier: Apache-2.0

package work_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// kept returns what a reconcile function may have kept of its context, by how it was made.
func kept(t *testing.T, ctx context.Context, reserve func(context.Context) (context.Context, context.CancelFunc)) map[string]context.Context {
	type key struct{}
	child, cancelChild := context.WithCancel(ctx)
	limited, cancelLimited := context.WithTimeout(context.WithValue(ctx, key{}, 1), time.Hour)
	reserved, cancelReserved := reserve(ctx)
	t.Cleanup(func() { cancelChild(); cancelLimited(); cancelReserved() })
	return map[string]context.Context{
		"the context": ctx, "one with a value": context.WithValue(ctx, key{}, 1),
		"a child": child, "one with a time limit": limited, "the reserve": reserved,
	}
}

// TestC2AContextOfAReconcileThatHasReturnedSaysSo looks at once, at contexts that were made before the
// return and after it.
func TestC2AContextOfAReconcileThatHasReturnedSaysSo(t *testing.T) {
	for range 200 {
		ctx, unit, above := item(t)
		before := kept(t, ctx, unit.ReserveContext)
		unit.Returned()
		after := kept(t, ctx, unit.ReserveContext)
		above(errAbove) // counts no more
		for when, all := range map[string]map[string]context.Context{"before": before, "after": after} {
			for name, c := range all {
				if !errors.Is(c.Err(), context.Canceled) || !errors.Is(context.Cause(c), cause.Returned) {
					t.Fatalf("%s, made %s the return: %v, because of %v", name, when, c.Err(), context.Cause(c))
				}
			}
		}
	}
}

// TestC2AContextThatNobodyHasLookedAtSaysWhyItEnded looks at contexts for the first time after their
// end: nothing was made for them until then.
func TestC2AContextThatNobodyHasLookedAtSaysWhyItEnded(t *testing.T) {
	for name, test := range map[string]struct {
		end    func(ended func(), above context.CancelCauseFunc)
		err    error
		reason error
	}{
		"returned":              {func(ended func(), _ context.CancelCauseFunc) { ended() }, context.Canceled, cause.Returned},
		"ended above":           {func(_ func(), above context.CancelCauseFunc) { above(errAbove) }, context.Canceled, errAbove},
		"ended above, returned": {func(ended func(), above context.CancelCauseFunc) { above(errAbove); ended() }, context.Canceled, errAbove},
		"time is over":          {func(func(), context.CancelCauseFunc) { time.Sleep(time.Minute) }, context.DeadlineExceeded, cause.ItemTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, unit, above := item(t)
				test.end(unit.Returned, above)
				if why := context.Cause(ctx); !errors.Is(ctx.Err(), test.err) || !errors.Is(why, test.reason) {
					t.Errorf("%v, because of %v", ctx.Err(), why)
				}
				select {
				case <-ctx.Done():
				default:
					t.Error("Done is open")
				}
				unit.Returned()
				if why := context.Cause(ctx); !errors.Is(why, test.reason) {
					t.Errorf("after the return the reason is %v", why)
				}
			})
		})
	}
}

func TestTheDeadlineOfAReconcileIsTheEarlierOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, unit, _ := item(t)
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) != 50*time.Second {
			t.Errorf("it is in %v", time.Until(deadline))
		}
		above, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if deadline, ok := unit.WithDeadline(above).Deadline(); !ok || time.Until(deadline) != time.Second {
			t.Errorf("with an earlier one above it is in %v", time.Until(deadline))
		}
	})
}
