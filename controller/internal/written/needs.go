// SPDX-License-Identifier: Apache-2.0

package written

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// state is an object after a write.
type state struct {
	namespace, name string
	uid             types.UID
	version         string
	labels          func() map[string]string
	gone            bool
}

// note notes a state that the caches must show. The lock must be held.
func (w *Writes) note(item *Item, covering []*caches.Cache, s *state) {
	for _, c := range covering {
		selection := c.Selection(w.factories)
		if selection == nil || !selection.Has(s.namespace) {
			continue
		}
		n := need{place: place{c, reconcile.Request{Namespace: s.namespace, Name: s.name}}, version: s.version}
		if s.gone {
			n.gone = s.uid
		} else if matches, known := selection.Matches(s.namespace, s.name, s.labels); !matches {
			before := read(n.place)
			if before == nil && (known || w.needs[n.place] == nil) {
				// The cache will not have it. If only the API server knows, that is most likely too:
				// whoever selects by such fields seldom creates what is selected.
				continue
			}
		}
		if w.needs[n.place] == nil && n.met() {
			continue
		}
		w.add(item, n)
	}
}

// add adds a need of an item. The lock must be held.
func (w *Writes) add(item *Item, n need) {
	known := w.needs[n.place]
	if known == nil {
		n.since = time.Now()
		known = &n
		w.needs[n.place] = known
		w.open.Add(1)
		n.cache.EnsureFollowed(w.Seen)
	} else {
		known.join(&n)
	}
	if slices.Contains(known.items, *item) {
		return
	}
	known.items = append(known.items, *item)
	of := w.of(*item)
	of.needs = append(of.needs, known)
}

func (w *Writes) of(item Item) *account {
	of := w.items[item]
	if of == nil {
		of = &account{}
		w.items[item] = of
	}
	return of
}

// Seen is told that a cache has a later state of an object.
func (w *Writes) Seen(c *caches.Cache, object metav1.Object) {
	if w.open.Load() == 0 {
		return
	}
	key := reconcile.RequestFor(object)
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.needs[place{c, key}]; n != nil && (n.met() || n.shownBy(object)) {
		w.settle(n)
	}
}

// Left ensures that a cache which has lost its last source goes on telling of its events while anything
// waits for one.
func (w *Writes) Left(c *caches.Cache) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at := range w.needs {
		if at.cache == c {
			c.EnsureFollowed(w.Seen)
			return
		}
	}
}

// settle ends a need. The lock must be held.
func (w *Writes) settle(n *need) {
	delete(w.needs, n.place)
	w.open.Add(-1)
	for _, item := range n.items {
		of := w.items[item]
		of.needs = slices.DeleteFunc(of.needs, func(other *need) bool { return other == n })
		w.drop(item, of)
	}
	for _, each := range n.waiting {
		if each.left--; each.left == 0 {
			each.wake()
		}
	}
}

func (w *Writes) drop(item Item, of *account) {
	if len(of.needs)+len(of.doubts) == 0 {
		delete(w.items, item)
	}
}

// kept is for how long a need is kept for which nothing waits.
const kept = 10 * time.Minute

// sweep drops what no cache has shown for long, such as objects that no cache will ever have. The lock must
// be held.
func (w *Writes) sweep(now time.Time) {
	if len(w.needs) < 2*w.swept+100 {
		return
	}
	for _, n := range w.needs {
		if now.Sub(n.since) > kept {
			w.settle(n)
		}
	}
	w.swept = len(w.needs)
}

// behind returns the needs that an item has to wait for: those of its own writes, and those of what others
// have written of its object. kind is that of its object.
func (w *Writes) behind(item Item, kind schema.GroupKind) (all []*need) {
	if of := w.items[item]; of != nil {
		all = append(all, of.needs...)
	}
	for _, c := range w.set.OfKind(kind) {
		if n := w.needs[place{c, item.Key}]; n != nil && !slices.Contains(n.items, item) {
			all = append(all, n)
		}
	}
	return all
}

// Idle reports whether there is nothing that an item has to wait for.
func (w *Writes) Idle(item Item, kind schema.GroupKind) bool {
	if w.open.Load() == 0 {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.items[item] == nil && len(w.behind(item, kind)) == 0
}

// Await reports whether an item has to wait for caches. If so, wake is called once, when they have caught
// up, unless GiveUp is called before.
func (w *Writes) Await(item Item, kind schema.GroupKind, wake func()) (waits bool) {
	if w.open.Load() == 0 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	needs := w.behind(item, kind)
	if len(needs) == 0 {
		return false
	}
	waiter := &waiting{wake: wake}
	for _, n := range needs {
		if n.met() { // the event is on its way
			w.settle(n)
			continue
		}
		waiter.left++
		n.waiting = append(n.waiting, waiter)
	}
	return waiter.left > 0
}

// GiveUp drops what an item waits for, and returns its description.
func (w *Writes) GiveUp(item Item, kind schema.GroupKind) (waitedFor []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.behind(item, kind) {
		waitedFor = append(waitedFor, n.String())
		w.settle(n)
	}
	return waitedFor
}

func (n *need) String() string {
	if n.version == "" {
		return n.cache.Name() + ": the deletion of " + n.key.String()
	}
	return n.cache.Name() + ": " + n.key.String() + " at version " + n.version
}

// join adds what another write of the same object asks for. An object that was deleted, after it was changed
// or before it was made anew, must be gone, and the cache must be at the version too. Of versions that are no
// numbers, the one that is noted last counts.
func (n *need) join(other *need) {
	if other.gone != "" {
		n.gone = other.gone
	}
	if other.version != "" && (n.version == "" || older(n.version, other.version)) {
		n.version = other.version
	}
}

// met reports whether the cache shows what it must.
func (n *need) met() bool {
	object := read(n.place)
	switch {
	case object == nil:
		return n.version == "" || !older(n.cache.GetStore().LastStoreSyncResourceVersion(), n.version)
	case n.gone != "" && object.GetUID() == n.gone:
		return false
	}
	return n.version == "" || !older(object.GetResourceVersion(), n.version)
}

// shownBy reports whether an event of the cache shows what it must, although the cache itself may have gone on
// since then. That is how a version is found which is no number, and which others have followed.
func (n *need) shownBy(object metav1.Object) bool {
	return n.version != "" && object.GetUID() != n.gone && !older(object.GetResourceVersion(), n.version)
}

// read returns an object as the cache has it, or nil.
func read(at place) metav1.Object {
	cached, exists, err := at.cache.GetStore().GetByKey(at.key.String())
	if err != nil || !exists {
		return nil
	}
	accessor, err := meta.Accessor(cached)
	if err != nil {
		return nil
	}
	return accessor
}
