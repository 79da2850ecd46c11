// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/reasons"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Waits is what an item in a queue waits for.
type Waits int

// What items wait for, in the order in which they are looked at.
const (
	ForWorker Waits = iota
	ForCache        // until caches show what earlier reconciles have written, or are filled
	ForRest         // because its reconciles trigger themselves
	ForTime         // until the time that was asked for, or that a failure has led to
)

// Waiter is an item in a queue.
type Waiter struct {
	Item  reconcile.Request
	For   Waits
	Until time.Time // when it comes back by itself; zero if a worker could take it
	reasons.Entry
}

// View is what waits in a queue.
type View struct {
	Ready, Delayed, Parked int
	First                  []Waiter
}

// View returns what waits now, and the first items of it, at most limit. It is empty when no session runs.
func (p *Pipeline) View(now time.Time, limit int) (view View) {
	queue := p.session.Load()
	if queue == nil {
		return view
	}
	delays := queue.delays.All()
	parked := queue.parked.all()
	queue.reasons.Each(func(item reconcile.Request, entry reasons.Entry, delayed bool) {
		over, timed := delays[item]
		w := Waiter{Item: item, Entry: entry}
		w.classify(delayed, timed, parked[item], over, now)
		switch w.For {
		case ForWorker:
			view.Ready++
		case ForCache:
			view.Parked++
		case ForRest, ForTime:
			view.Delayed++
		}
		view.First = w.addTo(view.First, limit)
	})
	slices.SortFunc(view.First, compare)
	view.First = view.First[:min(limit, len(view.First))]
	return view
}

// classify says what an item waits for. delayed reports whether its entry is that of a delay, timed whether it
// comes back when a timer is over.
func (w *Waiter) classify(delayed, timed, parked bool, over, now time.Time) {
	switch {
	case !timed || delayed && !w.Ready.After(now):
		return // its timer has fired, or it never had one
	case delayed:
		w.For = ForTime
	case parked || over.Sub(now) > askAgain/2: // a park for caches that are not filled
		w.For = ForCache
	default:
		w.For = ForRest
	}
	w.Until = over
}

// addTo keeps the first items of a list, and a few more, so that it is sorted seldom.
func (w *Waiter) addTo(first []Waiter, limit int) []Waiter {
	if first = append(first, *w); len(first) >= 2*limit+1 {
		slices.SortFunc(first, compare)
		clear(first[limit:])
		first = first[:limit]
	}
	return first
}

func compare(a, b Waiter) int {
	return cmp.Or(
		cmp.Compare(min(a.For, ForCache), min(b.For, ForCache)),
		a.Until.Compare(b.Until), a.Ready.Compare(b.Ready),
		strings.Compare(a.Item.Namespace, b.Item.Namespace), strings.Compare(a.Item.Name, b.Item.Name),
	)
}

// Waiter returns an item as it waits in the queue now. ok is false if it does not.
func (p *Pipeline) Waiter(item reconcile.Request, now time.Time) (w Waiter, ok bool) {
	queue := p.session.Load()
	if queue == nil {
		return w, false
	}
	over, timed := queue.delays.Over(item)
	waiting, later, waits, delayed := queue.reasons.Of(item)
	w = Waiter{Item: item, Entry: waiting}
	if !waits {
		w.Entry = later
	}
	w.classify(!waits, timed, queue.parked.has(item), over, now)
	return w, waits || delayed
}
