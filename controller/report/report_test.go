// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

func TestACallIsDescribedByWhatItIsAbout(t *testing.T) {
	for want, call := range map[string]report.Call{
		"get pods n/p":              {Verb: "get", Resource: "pods", Namespace: "n", Name: "p"},
		"get nodes n1":              {Verb: "get", Resource: "nodes", Name: "n1"},
		"list pods in n":            {Verb: "list", Resource: "pods", Namespace: "n"},
		"list pods":                 {Verb: "list", Resource: "pods"},
		"get /version":              {Verb: "get", Path: "/version"},
		"create pods in n for 1.5s": {Verb: "create", Resource: "pods", Namespace: "n", Age: 1500 * time.Millisecond},
		"get /readyz (waiting for room on a connection)": {Verb: "get", Path: "/readyz", Waiting: true},
	} {
		if got := call.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestAReportDoesNotChangeWithTime prints the report of a term again much later.
func TestAReportDoesNotChangeWithTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := report.Term{
			Term:     cause.Term{Lease: types.NamespacedName{Namespace: "n", Name: "l"}, Holder: "a", Number: 3, Began: time.Now()},
			Length:   7 * time.Second,
			Shutdown: report.Shutdown{Cause: cause.LeadershipLost, Took: time.Millisecond},
		}
		first := ended.String()
		time.Sleep(10 * time.Hour)
		if again := ended.String(); again != first || !strings.HasPrefix(first, "term a#3 on the lease n/l, 7s long, stopped in 1ms") {
			t.Errorf("first %q, then %q", first, again)
		}
	})
}

func TestTheErrorOfAShutdownNamesEachStragglerAndIsItsCause(t *testing.T) {
	err := error(&report.ShutdownError{Report: report.Shutdown{
		Cause: cause.Shutdown, Took: 20 * time.Second,
		Stragglers: []report.Work{
			{Kind: report.Item, Owner: "c", Item: reconcile.Request{Namespace: "n", Name: "a"}, Age: time.Second},
			{Kind: report.Runnable, Owner: "r", Age: time.Minute},
		},
	}})
	for _, want := range []string{"not stopped 20s after the end", "item c n/a, running for 1s", "runnable r, running for 1m0s"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if !errors.Is(err, cause.Shutdown) {
		t.Error("it is not its cause")
	}
}

func TestAShutdownIsListedForAPerson(t *testing.T) {
	text := report.Shutdown{
		Cause: errors.New("why"), Took: time.Second, Finished: 1, Queued: map[string]int{"b": 2, "a": 1, "none": 0},
		Cancelled:  []report.Work{{Kind: report.Item, Owner: "c"}},
		Stragglers: []report.Work{{Kind: report.Runnable, Owner: "r", Stack: "goroutine 1\nmain.f()"}},
	}.String()
	const want = `stopped in 1s: why
  finished: 1 item in flight
  cancelled: 1 item in flight
    item c, running for 0s
  not started: 1 item in the queue of a
  not started: 2 items in the queue of b
  left running: 1
    runnable r, running for 0s
      goroutine 1
      main.f()
`
	if text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
}

func TestAnOrphanIsDescribedByItsLineAndItsContext(t *testing.T) {
	get := report.Call{Verb: "get", Resource: "pods", Namespace: "n", Name: "p"}
	item := report.Work{Kind: report.Item, Owner: "c", Item: reconcile.Request{Namespace: "n", Name: "a"}}
	for want, orphan := range map[string]report.Orphan{
		"a.go:1: get pods n/p with a context from outside the manager":                 {Kind: report.OrphanOutside, At: "a.go:1", Call: get},
		"a.go:1: get pods n/p with a context that was detached from item c n/a":        {Kind: report.OrphanOutside, At: "a.go:1", Call: get, Work: item},
		"a.go:1: a call with the context of a reconcile that has returned: item c n/a": {Kind: report.OrphanReturned, At: "a.go:1", Work: item},
	} {
		if got := orphan.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
