// SPDX-License-Identifier: Apache-2.0

package term

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// jumping is a clock in virtual time that may jump ahead of it.
type jumping struct {
	start  time.Time
	jumped time.Duration
}

func (j *jumping) now() time.Duration { return time.Since(j.start) + j.jumped }

func begin(parent context.Context) (*Term, *jumping) {
	clock := &jumping{start: time.Now()}
	return New(parent, Config{
		Term: cause.Term{
			Lease:  types.NamespacedName{Namespace: "n", Name: "l"},
			Holder: "a", Number: 3, ResourceVersion: "10",
		},
		Validity: 10 * time.Second, Clock: clock.now,
	}, 0), clock
}

func TestC12ATermEndsALengthAfterTheLastRenewalWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, _ := begin(t.Context())
		time.Sleep(5 * time.Second)
		term.Extend(3 * time.Second) // sent then, answered now
		term.Extend(2 * time.Second) // answered out of order
		time.Sleep(8*time.Second - 1)
		if err := term.Check(); err != nil || term.Context().Err() != nil || term.Remaining() != 1 {
			t.Errorf("too early: %v, %v left", err, term.Remaining())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		var ended *cause.TermEnded
		err := context.Cause(term.Context())
		if !errors.Is(err, cause.LeadershipLost) || !errors.As(err, &ended) ||
			ended.How != cause.TermExpired || ended.Number != 3 {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestC14ATermIsOverByItsClockBeforeAnyTimerKnowsAndNothingRevivesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, clock := begin(t.Context())
		time.Sleep(time.Second)
		clock.jumped = time.Hour
		term.Extend(9 * time.Second)         // a late answer
		term.Extend(time.Hour + time.Second) // and one that would hold
		if err := term.Check(); !errors.Is(err, cause.LeadershipLost) ||
			!errors.Is(context.Cause(term.Context()), cause.LeadershipLost) {
			t.Errorf("the term is valid: %v", err)
		}
		first := term.Err()
		term.End(cause.TermTaken, "b")
		if !errors.Is(term.Err(), first) {
			t.Errorf("the first end was replaced: %v", term.Err())
		}
	})
}

func TestC12ATermOutlivesItsParentsEndForDrainsAndLostTellsTheTwoApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, end := context.WithCancelCause(t.Context())
		term, _ := begin(parent)
		end(cause.Shutdown)
		synctest.Wait()
		ended := context.Cause(term.Context())
		if term.Check() != nil || term.Lost().Err() != nil || !errors.Is(ended, cause.Shutdown) {
			t.Errorf("valid: %v, lost: %v, context: %v", term.Check(), term.Lost().Err(), ended)
		}
		term.End(cause.TermResigned, "")
		if !errors.Is(context.Cause(term.Lost()), cause.LeadershipLost) {
			t.Errorf("lost: %v", context.Cause(term.Lost()))
		}
	})
}

func TestC18ATermKnowsWhichStatesOfTheLeaseAreFromBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, _ := begin(t.Context())
		defer term.End(cause.TermResigned, "")
		for state, before := range map[string]bool{
			"9": true, "10": false, "11": false, "100": false, "": false, "x": false,
		} {
			if term.After(state) != before {
				t.Errorf("%q is from before 10: %v", state, !before)
			}
		}
	})
}

func TestC14TheClockIsOneThatGoesOnAndNeverBack(t *testing.T) {
	clock := BootTime()
	last := clock()
	for range 1000 {
		now := clock()
		if now < last {
			t.Fatalf("%v after %v", now, last)
		}
		last = now
	}
	began, before := time.Now(), clock()
	time.Sleep(20 * time.Millisecond)
	passed := clock() - before
	if real := time.Since(began); passed < 20*time.Millisecond ||
		passed > real+10*time.Millisecond {
		t.Errorf("%v passed, the clock says %v", real, passed)
	}
}
