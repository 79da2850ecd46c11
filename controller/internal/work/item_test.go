package work_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

var (
	errAbove = errors.New("the context above ended")
	limits   = work.Limits{Item: time.Minute, Reserve: 10 * time.Second}
)

// TestC9AnItemsContextIsAsIfItHadItsTimerFromTheBeginning asks for each thing first, of a context of its own: the
// timer is made only by the first who asks.
func TestC9AnItemsContextIsAsIfItHadItsTimerFromTheBeginning(t *testing.T) {
	for name, ended := range map[string]func(context.Context) (error, error){
		"Err":     func(ctx context.Context) (error, error) { err := ctx.Err(); return err, context.Cause(ctx) },
		"Cause":   func(ctx context.Context) (error, error) { why := context.Cause(ctx); return ctx.Err(), why },
		"Done":    func(ctx context.Context) (error, error) { <-ctx.Done(); return ctx.Err(), context.Cause(ctx) },
		"a child": childEnds(context.WithCancel),
		"a timeout": childEnds(func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Hour)
		}),
		"AfterFunc": afterFunc,
		"through one": func(ctx context.Context) (error, error) {
			ctx = context.WithValue(ctx, errAbove, 1)
			return ctx.Err(), context.Cause(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, _, _ := item(t)
				if at, ok := ctx.Deadline(); !ok || time.Until(at) != 50*time.Second {
					t.Errorf("the deadline is in %v, %v", time.Until(at), ok)
				}
				time.Sleep(50*time.Second - 1)
				if ctx.Err() != nil || context.Cause(ctx) != nil {
					t.Errorf("before its time: %v, because of %v", ctx.Err(), context.Cause(ctx))
				}
			})
			synctest.Test(t, func(t *testing.T) {
				ctx, _, _ := item(t)
				time.Sleep(50 * time.Second)
				if err, why := ended(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(why, cause.ItemTimeout) {
					t.Errorf("after its time: %v, because of %v", err, why)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				ctx, _, above := item(t)
				above(errAbove)
				if err, why := ended(ctx); !errors.Is(err, context.Canceled) || !errors.Is(why, errAbove) {
					t.Errorf("after the end of the context above: %v, because of %v", err, why)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				ctx, unit, _ := item(t)
				unit.EndContext()
				if err, why := ended(ctx); !errors.Is(err, context.Canceled) || !errors.Is(why, context.Canceled) {
					t.Errorf("after the reconcile: %v, because of %v", err, why)
				}
			})
		})
	}
}

func TestC9AnItemsContextEndsForThoseWhoWait(t *testing.T) {
	for name, end := range map[string]func(*work.Unit, context.CancelCauseFunc){
		"its time":          func(*work.Unit, context.CancelCauseFunc) { time.Sleep(50 * time.Second) },
		"the context above": func(_ *work.Unit, above context.CancelCauseFunc) { above(errAbove) },
		"the reconcile":     func(unit *work.Unit, _ context.CancelCauseFunc) { unit.EndContext() },
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, unit, above := item(t)
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			end(unit, above)
			synctest.Wait()
			select {
			case <-child.Done():
			default:
				t.Errorf("the end of %s does not reach those below", name)
			}
		})
	}
}

func TestC9AnEarlierDeadlineAboveIsTheItemsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		unit := &work.Unit{Kind: work.Item, Start: time.Now()}
		ctx = unit.SetDeadline(ctx, &limits)
		defer unit.EndContext()
		if at, _ := ctx.Deadline(); time.Until(at) != time.Second {
			t.Errorf("the deadline is in %v", time.Until(at))
		}
	})
}

func TestAnItemThatAsksForNothingMakesNoTimer(t *testing.T) {
	unit := &work.Unit{}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		*unit = work.Unit{Kind: work.Item, Key: types.NamespacedName{Name: "a"}, Start: time.Now()}
		ctx := unit.SetDeadline(ctx, &limits)
		if _, ok := ctx.Deadline(); !ok || ctx.Err() != nil || work.From(ctx) != unit {
			t.Error("no context of an item")
		}
		unit.EndContext()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func item(t *testing.T) (context.Context, *work.Unit, context.CancelCauseFunc) {
	above, cancel := context.WithCancelCause(t.Context())
	unit := &work.Unit{Kind: work.Item, Start: time.Now()}
	ctx := unit.SetDeadline(above, &limits)
	t.Cleanup(unit.EndContext)
	t.Cleanup(func() { cancel(nil) })
	return ctx, unit, cancel
}

func childEnds(make func(context.Context) (context.Context, context.CancelFunc)) func(context.Context) (error, error) {
	return func(ctx context.Context) (error, error) {
		child, cancel := make(ctx)
		defer cancel()
		return child.Err(), context.Cause(child)
	}
}

func afterFunc(ctx context.Context) (error, error) {
	called := make(chan struct{})
	context.AfterFunc(ctx, func() { close(called) })
	<-called
	return ctx.Err(), context.Cause(ctx)
}
