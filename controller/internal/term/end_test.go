// SPDX-License-Identifier: Apache-2.0

package term

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// alive reports which contexts of a term are alive, in the moment in which it is called.
func alive(t *Term) (names []string) {
	if t.Context().Err() == nil {
		names = append(names, "Context")
	}
	if t.Lost().Err() == nil {
		names = append(names, "Lost")
	}
	return names
}

func TestATermThatIsOverWhenItBeginsHasEndedWhenNewReturns(t *testing.T) {
	for range 200 {
		clock := &jumping{start: time.Now(), jumped: time.Hour} // while the request was under way
		var ended error
		term := New(t.Context(), Config{
			Validity: 10 * time.Second, Clock: clock.now, Ended: func(err error) { ended = err },
		}, 0)
		if left := alive(term); left != nil || !errors.Is(ended, cause.LeadershipLost) {
			t.Fatalf("alive: %v, ended with %v", left, ended)
		}
	}
}

func TestATermBegunOnAContextThatHasEndedHasAContextThatHasEnded(t *testing.T) {
	parent, end := context.WithCancelCause(t.Context())
	end(cause.Shutdown)
	for range 200 {
		term, _ := begin(parent)
		if !errors.Is(context.Cause(term.Context()), cause.Shutdown) || term.Lost().Err() != nil {
			t.Fatalf("Context: %v, Lost: %v", term.Context().Err(), term.Lost().Err())
		}
		term.End(cause.TermResigned, "")
	}
}

// TestNobodyLearnsOfAnEndWhileAContextOfTheTermIsAlive asks in all three ways while another
// goroutine ends the term. The term has many descendants, so that its end takes a while.
func TestNobodyLearnsOfAnEndWhileAContextOfTheTermIsAlive(t *testing.T) {
	for name, learn := range map[string]func(*Term){
		"End": func(term *Term) { term.End(cause.TermResigned, "") },
		"Err": func(term *Term) {
			for term.Err() == nil {
			}
		},
		"Check": func(term *Term) {
			for term.Check() == nil {
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				var called bool
				clock := &jumping{start: time.Now()}
				term := New(t.Context(), Config{
					Validity: time.Hour, Clock: clock.now, Ended: func(error) { called = true },
				}, 0)
				for range 500 {
					_, cancel := context.WithCancel(term.Lost())
					t.Cleanup(cancel)
				}
				var ending sync.WaitGroup
				ending.Go(func() { term.End(cause.TermTaken, "b") })
				learn(term)
				if left := alive(term); left != nil || !called {
					t.Fatalf("alive: %v, Ended called: %v", left, called)
				}
				ending.Wait()
			}
		})
	}
}

func TestEndedIsCalledOnceWithTheErrorOfTheTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends []error
		clock := &jumping{start: time.Now()}
		term := New(t.Context(), Config{
			Validity: time.Second, Clock: clock.now,
			Ended: func(err error) { ends = append(ends, err) },
		}, 0)
		time.Sleep(time.Minute)
		term.End(cause.TermTaken, "b")
		if len(ends) != 1 || !errors.Is(ends[0], term.Err()) {
			t.Errorf("it was called with %v, the term ended with %v", ends, term.Err())
		}
	})
}
