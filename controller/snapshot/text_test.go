// SPDX-License-Identifier: Apache-2.0

package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/snapshot"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func after(d time.Duration) *time.Time { at := noon.Add(d); return &at }

func TestAStoryIsToldInWords(t *testing.T) {
	web := snapshot.Object{Namespace: "n", Name: "web"}
	reconciles := []snapshot.Reconcile{
		{Why: snapshot.Why{Reason: "start_up"}, Attempt: 1, Began: *after(-time.Hour), Took: 0.0001234, Outcome: "done"},
		{
			Why: snapshot.Why{Reason: "retry"}, Attempt: 3, Began: *after(-time.Minute), Took: 61, Waited: 2, Outcome: "cancelled",
			Cause: "leadership lost", Error: "no room", Again: after(time.Minute), Calls: 4, Writes: []snapshot.Write{
				{Verb: "create", Resource: "pods", Name: "a", Attempts: 1},
				{Verb: "patch", Resource: "pods", Attempts: 3, WithoutEffect: 1, Unknown: 2},
			},
		},
		{Why: snapshot.Why{Reason: "retry"}, Attempt: 4, Began: noon, Took: 3700, Outcome: "done", Calls: 1},
	}
	for name, c := range map[string]struct {
		story snapshot.Story
		want  string
	}{
		"of which nothing is known": {
			snapshot.Story{Object: web, Controller: "c", Kind: "Deployment.apps", At: noon},
			`Deployment n/web, controller c, at 2026-01-01T12:00:00Z

No reconcile of it is known.
It is not in the controller's caches.
It does not wait for anything: only an event leads to another reconcile.
`,
		},
		"of an object of another replica": {
			snapshot.Story{Object: snapshot.Object{Name: "web"}, Controller: "c", Kind: "Node", At: noon, Cached: true, Place: "slot"},
			`Node web, controller c, at 2026-01-01T12:00:00Z

No reconcile of it is known.
Another replica has the slot of the object.
It does not wait for anything: only an event leads to another reconcile.
`,
		},
		"of a controller that waits": {
			snapshot.Story{Object: web, Controller: "c", Kind: "Pod", At: noon, Cached: true, Place: "controller"},
			`Pod n/web, controller c, at 2026-01-01T12:00:00Z

No reconcile of it is known.
The controller does not work in this process now: it waits for leadership or for its caches.
It does not wait for anything: only an event leads to another reconcile.
`,
		},
		"with reconciles": {
			snapshot.Story{
				Object: web, Controller: "c", Kind: "Pod", At: noon, Cached: true, Total: 3, First: after(-time.Hour), Reconciles: reconciles,
				InFlight: &snapshot.Item{
					Object: web, Began: noon, Age: 0.5, Attempt: 2, Stuck: true, Why: snapshot.Why{Reason: "resync"}, Calls: []snapshot.Call{
						{Verb: "get", Resource: "pods", Namespace: "n", Name: "a", Phase: snapshot.Sent, Age: 0.25},
						{Phase: snapshot.Waiting},
					},
				},
				Waiting: &snapshot.Waiter{State: snapshot.ForTime, Until: after(time.Minute), Why: snapshot.Why{Reason: "requeue_after"}},
			},
			`Pod n/web, controller c, at 2026-01-01T12:00:00Z

Reconciled 3 times in the last 1h0m: 2 by retry, 1 at the start.
It is being reconciled since 12:00:00 (500ms, attempt 2), because a resync, without a change; it is STUCK: its time is over, and it has not returned; it is in get pods n/a (sent, no answer yet, 250ms) and a call that is waiting for room on a connection.
It waits until 12:01:00, because its last reconcile had asked for it.

12:00:00  done after 1h2m, because its last reconcile had failed
          attempt 4, waited 0s for a worker
          1 call, nothing written
11:59:00  cancelled (leadership lost) after 1m1s, because its last reconcile had failed
          attempt 3, waited 2s for a worker
          no room
          4 calls: create pods a, patch pods (3 times) (1 without effect) (2 with an unknown effect)
          again at 12:01:00
11:00:00  done after 120µs, because it existed when the controller started
`,
		},
		"of which the beginning is forgotten": {
			snapshot.Story{Object: web, Kind: "Pod", Controller: "c", At: noon, Cached: true, Total: 20, First: after(-2 * time.Hour), Reconciles: reconciles[2:]},
			`Pod n/web, controller c, at 2026-01-01T12:00:00Z

Reconciled 20 times since 10:00:00. The last 1, in 0s: 1 by retry.
It does not wait for anything: only an event leads to another reconcile.

12:00:00  done after 1h2m, because its last reconcile had failed
          attempt 4, waited 0s for a worker
          1 call, nothing written
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.story.Text(); got != c.want {
				t.Errorf("it is told as\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestWhatAnItemWaitsForInWords(t *testing.T) {
	why := snapshot.Why{Reason: "external"}
	for state, want := range map[snapshot.WaitState]string{
		snapshot.ForWorker: "It waits for a worker since 12:00:00, because a source that is no informer.",
		snapshot.ForTime:   "It waits until 12:00:05, because a source that is no informer.",
		snapshot.ForRest:   "It is held back until 12:00:05, because its reconciles trigger themselves: a source that is no informer.",
		snapshot.ForCache:  "It waits until the caches show what was written, at the latest until 12:00:05: a source that is no informer.",
	} {
		w := &snapshot.Waiter{State: state, Since: noon, Until: after(5 * time.Second), Why: why}
		if state == snapshot.ForWorker {
			w.Until = nil
		}
		if got := w.Text(); got != want {
			t.Errorf("%s is %q, want %q", state, got, want)
		}
	}
}

func TestWhyInWords(t *testing.T) {
	child := snapshot.Trigger{Object: snapshot.Object{Namespace: "n", Name: "web"}, Kind: "Deployment"}
	self := snapshot.Trigger{Self: true}
	changed := func(t snapshot.Trigger, change string, own bool) *snapshot.Trigger {
		t.Change, t.Own = change, own
		return &t
	}
	for _, c := range []struct {
		why  snapshot.Why
		want string
	}{
		{snapshot.Why{Reason: "object_changed"}, "the object itself changed"},
		{snapshot.Why{Reason: "related_changed"}, "a related object changed"},
		{snapshot.Why{Reason: "start_up"}, "it existed when the controller started"},
		{snapshot.Why{Reason: "resync"}, "a resync, without a change"},
		{snapshot.Why{Reason: "requeue_after"}, "its last reconcile had asked for it"},
		{snapshot.Why{Reason: "retry"}, "its last reconcile had failed"},
		{snapshot.Why{Reason: "external"}, "a source that is no informer"},
		{snapshot.Why{Reason: "slot_gained"}, "its slot has come to this process"},
		{snapshot.Why{Reason: "superseded"}, "it changed while it was being reconciled"},
		{snapshot.Why{Reason: "something new"}, "something new"},
		{snapshot.Why{Reason: "related_changed", By: changed(child, "created", false)}, "Deployment n/web was created"},
		{snapshot.Why{Reason: "related_changed", By: changed(child, "deleted", false)}, "Deployment n/web was deleted"},
		{snapshot.Why{Reason: "related_changed", By: changed(child, "deleting", false)}, "Deployment n/web is being deleted"},
		{snapshot.Why{Reason: "related_changed", By: changed(child, "spec", true)}, "the spec of Deployment n/web changed, which it had written itself"},
		{snapshot.Why{Reason: "object_changed", By: changed(self, "status", true), Events: 3}, "the status or the metadata of the object itself changed, which it had written itself, and 2 more"},
		{snapshot.Why{Reason: "superseded", By: changed(self, "content", false), Events: 1}, "it changed while it was being reconciled: the object itself changed"},
	} {
		if got := c.why.String(); got != c.want {
			t.Errorf("%+v is %q, want %q", c.why, got, c.want)
		}
	}
}

func TestReconcilesAreCountedByWhyTheyRan(t *testing.T) {
	by := func(trigger *snapshot.Trigger, reason string) snapshot.Reconcile {
		return snapshot.Reconcile{Why: snapshot.Why{Reason: reason, By: trigger}, Began: noon}
	}
	s := snapshot.Story{At: noon, Cached: true, Reconciles: []snapshot.Reconcile{
		by(&snapshot.Trigger{Self: true, Own: true}, ""), by(&snapshot.Trigger{Self: true, Own: true}, ""), by(&snapshot.Trigger{Self: true}, ""),
		by(&snapshot.Trigger{Kind: "Pod"}, ""), by(&snapshot.Trigger{Kind: "Pod"}, ""), by(&snapshot.Trigger{Kind: "Pod"}, ""),
		by(nil, "requeue_after"), by(nil, "resync"),
	}}
	const want = "3 by Pod, 2 by what it had written to itself, 1 as it had asked, 1 because a resync, without a change, 1 by a change of itself."
	if got := s.Text(); !strings.Contains(got, want) {
		t.Errorf("it is told as %s, want %s", got, want)
	}
}

func TestCallsInWords(t *testing.T) {
	for _, c := range []struct {
		call snapshot.Call
		want string
	}{
		{snapshot.Call{Verb: "list", Resource: "pods", Namespace: "n", Phase: snapshot.Throttled, Age: 12}, "list pods in n (held back by a rate limit, 12s)"},
		{snapshot.Call{Verb: "list", Resource: "pods", Phase: snapshot.Fenced, Age: 0.0005}, "list pods (waiting for the fence in the API server, 500µs)"},
		{snapshot.Call{Verb: "get", Path: "/version", Phase: snapshot.Preparing, Age: 3661}, "get /version (about to be sent, 1h1m)"},
		{snapshot.Call{Verb: "get", Resource: "nodes", Name: "x", Phase: snapshot.Reading}, "get nodes x (reading the answer, 0s)"},
		{snapshot.Call{Verb: "get", Resource: "nodes", Name: "x", Phase: "other"}, "get nodes x (other, 0s)"},
	} {
		if got := c.call.String(); got != c.want {
			t.Errorf("%+v is %q, want %q", c.call, got, c.want)
		}
	}
}
