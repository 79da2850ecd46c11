// SPDX-License-Identifier: Apache-2.0

// Package loops finds objects that are reconciled again and again because of what their own reconciles write.
//
// The rule: an object is written [Limit] times in a row, each time by a reconcile that nothing but the write
// before has triggered. The row ends before a write that something else has triggered too. It also ends before a
// write by one who has been reconciled since the write before, and had nothing to write then: it had come to rest,
// and is woken by something like a resync. The first [Free] writes of an object within [FreePeriod] are part of no row.
// So a controller that converges is never accused, however often others change the object. Two controllers that undo
// each other's writes make one row, and both are named.
package loops

import (
	"cmp"
	"context"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Limit is the number of writes in a row from which on it is a loop.
const Limit = 20

// The delay of a reconcile in a loop: it doubles with each further write.
const (
	firstDelay = 100 * time.Millisecond
	lastDelay  = time.Minute
)

// known bounds the rows, and the items, that are remembered.
const known = 4096

// Finder is an observer that finds loops. It is safe for concurrent use.
type Finder struct {
	observe.Nop
	observers func() observe.Observers // are told of loops

	active atomic.Bool // there was a write

	mu     sync.Mutex
	rows   map[types.UID]*row // by the UID of the object
	items  map[item]*state    // of those that have written something
	unused []*triggers        // empty ones, to be used again
	seldom seldom             // the objects that have no row
}

type item struct {
	controller string
	key        reconcile.Request
}

// row is the writes of an object, each of which has led to the next. There is one for each object that was written, so
// what only long ones need is made when they are.
type row struct {
	versions []string // the last ones, at most maxVersions
	writers  []observe.LoopItem
	resting  []item // writers that were reconciled because of the last write, and have not written
	length   int
	call     *report.Call // one of the last writes, once the row is half long enough
	told     bool
	ended    *endedRow // the row before, while it may turn out to be the same one

	// The last event, once the row is nearly long enough. It may come before the answer to the write.
	before, after metav1.Object
}

// endedRow is a row that a write has ended because a version had led to it that no known write has made. The answer
// to a write may come after others have seen its event and have written in turn.
type endedRow struct {
	row
	missing string // the version
}

// maxVersions bounds the versions of a row, and the events that are told apart as the reason of a reconcile.
const maxVersions = 8

// rejoined is the least length of a row that is worth to be kept: shorter ones are what a change of another leaves.
const rejoined = 3

func (r *row) writtenBy(by item) bool {
	return slices.ContainsFunc(r.writers, func(w observe.LoopItem) bool {
		return w.Controller == by.controller && w.Key == by.key
	})
}

// last returns the version of the last write.
func (r *row) last() string { return r.versions[len(r.versions)-1] }

// add adds a version.
func (r *row) add(version string) {
	if len(r.versions) == maxVersions {
		copy(r.versions, r.versions[1:])
		r.versions = r.versions[:maxVersions-1]
	}
	r.versions = append(r.versions, version)
}

// trigger is an event of an object, by its version.
type trigger struct {
	uid     types.UID
	version string
}

// triggers is what has led to a reconcile.
type triggers struct {
	events []trigger // at most maxVersions
	other  bool      // there was something else, or more
}

// state is what is known of an item. What is nil is empty: most items are at rest.
type state struct {
	next  *triggers // of the next reconcile
	held  time.Time // until when it is held back; zero if it is not
	run   *triggers // of the reconcile that runs
	wrote []types.UID
}

// New makes a Finder that tells observers.
func New(observers func() observe.Observers) *Finder {
	return &Finder{
		observers: observers, rows: map[types.UID]*row{}, items: map[item]*state{}, seldom: seldom{seed: maphash.MakeSeed()},
	}
}

func (r *row) has(version string) bool { return slices.Contains(r.versions, version) }

// Enqueued notes what has led to the next reconcile of the items that have written something.
func (f *Finder) Enqueued(ctx context.Context, e *observe.Enqueue) {
	if !f.active.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, request := range e.Requests {
		if known := f.items[item{e.Controller, request}]; known != nil {
			if known.next == nil {
				known.next = f.newTriggers()
			}
			known.next.add(e)
		}
	}
	if e.Before == nil {
		return
	}
	if of := f.rows[e.Object.GetUID()]; of != nil && of.length >= Limit-1 && !of.told {
		of.before = e.Before
		of.after = e.Object
		f.tell(ctx, of)
	}
}

// add adds a trigger.
func (t *triggers) add(e *observe.Enqueue) {
	isEvent := e.Reason == reconcile.ObjectChanged || e.Reason == reconcile.RelatedChanged
	if !isEvent || e.Object == nil || len(t.events) == maxVersions {
		t.other = true
		return
	}
	t.events = append(t.events, trigger{e.Object.GetUID(), e.Object.GetResourceVersion()})
}

// newTriggers returns empty ones: those of a reconcile that is over, if there are.
func (f *Finder) newTriggers() *triggers {
	if n := len(f.unused); n > 0 {
		t := f.unused[n-1]
		f.unused = f.unused[:n-1]
		return t
	}
	return &triggers{}
}

// maxUnused bounds the triggers that are kept to be used again: those of the reconciles that run at the same time.
const maxUnused = 64

// over forgets what has led to a reconcile, which is over.
func (f *Finder) over(t *triggers) {
	if t == nil || len(f.unused) == maxUnused {
		return
	}
	clear(t.events)
	*t = triggers{events: t.events[:0]}
	f.unused = append(f.unused, t)
}

// echo reports whether nothing but writes of rows has led to a reconcile. It is asked when the answers to
// these writes are known: an event may come before the answer.
func (f *Finder) echo(t *triggers) bool {
	if t == nil || t.other || len(t.events) == 0 {
		return false
	}
	for _, event := range t.events {
		if of := f.rows[event.uid]; of == nil || !of.has(event.version) {
			return false
		}
	}
	return true
}

func (t *triggers) has(uid types.UID) bool {
	return t != nil && slices.ContainsFunc(t.events, func(event trigger) bool { return event.uid == uid })
}

// tell tells of a row that is long enough, when it is known what its last write has changed.
func (f *Finder) tell(ctx context.Context, of *row) {
	if of.told || of.length < Limit || of.after == nil || !of.has(of.after.GetResourceVersion()) {
		return
	}
	of.told = true
	loop := &observe.Loop{
		Object: of.after, Write: of.call.String(), Times: of.length, Changed: changed(of.before, of.after),
	}
	of.before, of.after = nil, nil
	loop.Items = slices.Clone(of.writers)
	f.observers().LoopFound(ctx, loop)
}

// Delay returns for how long an item that a worker has taken is to be held back: longer and longer while it
// is in a loop, and not at all once something else has triggered it.
func (f *Finder) Delay(controller string, key reconcile.Request, now time.Time) time.Duration {
	if !f.active.Load() {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	of := f.items[item{controller, key}]
	if of == nil || !f.echo(of.next) {
		return 0
	}
	if !of.held.IsZero() {
		return of.held.Sub(now)
	}
	var delay time.Duration
	for _, event := range of.next.events {
		if in := f.rows[event.uid]; in.length >= Limit {
			delay = max(delay, min(firstDelay<<min(in.length-Limit, 20), lastDelay))
		}
	}
	if delay > 0 {
		of.held = now.Add(delay)
	}
	return delay
}

// ItemBegan takes what has led to a reconcile.
func (f *Finder) ItemBegan(ctx context.Context, began *observe.Item) context.Context {
	if !f.active.Load() {
		return ctx
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.items[item{began.Owner, began.Key}]; known != nil {
		f.over(known.run)
		*known = state{run: known.next, wrote: known.wrote[:0]}
	}
	return ctx
}

// CallWrote notes a write, unless it has changed nothing.
func (f *Finder) CallWrote(ctx context.Context, call *observe.Call, w *observe.Write) {
	if w.Unknown || w.UID == "" || w.Version == "" || w.Version == w.Before {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	of := f.rows[w.UID]
	if of == nil && f.seldom.free(w.UID, call.Start) {
		return
	}
	f.active.Store(true)
	by := item{call.Unit.Owner, call.Unit.Key}
	writer := f.items[by]
	if writer == nil {
		writer = &state{}
		keep(f.items, by, writer)
	}
	var later *row // what was written because of this write, before its answer came
	if of != nil && of.ended != nil && of.ended.missing == w.Version {
		later = of
		of = &row{}
		*of = later.ended.row
		f.rows[w.UID] = of
	}
	switch again := slices.Contains(writer.wrote, w.UID); {
	case again && of != nil: // the same reconcile has written it before
	case of != nil && writer.run.has(w.UID) && f.echo(writer.run) && !slices.Contains(of.resting, by):
		of.length++
	default:
		of, later = f.newRow(w.UID, of, writer.run), nil
	}
	of.wrote(by, call, w.Version)
	if later != nil {
		of.join(later)
	}
	if !slices.Contains(writer.wrote, w.UID) {
		writer.wrote = append(writer.wrote, w.UID)
	}
	f.tell(ctx, of)
}

// wrote adds a write.
func (r *row) wrote(by item, call *observe.Call, version string) {
	r.add(version)
	r.resting = r.resting[:0]
	if r.length >= Limit/2 {
		last := call.Call
		r.call = &last
	}
	if !r.writtenBy(by) {
		r.writers = append(r.writers, observe.LoopItem{
			Controller: by.controller, MetricsName: call.Unit.MetricsName, Key: by.key,
		})
	}
}

// join adds the writes of a row that goes on with this one.
func (r *row) join(later *row) {
	for _, version := range later.versions {
		r.add(version)
	}
	for _, w := range later.writers {
		if !r.writtenBy(item{w.Controller, w.Key}) {
			r.writers = append(r.writers, w)
		}
	}
	r.resting = append(r.resting[:0], later.resting...)
	r.length += later.length
	r.call = cmp.Or(later.call, r.call)
	r.told = r.told || later.told
	r.before, r.after = later.before, later.after
}

// newRow begins a row in the place of another of the same object, if there is one. An object is told of once.
func (f *Finder) newRow(uid types.UID, before *row, run *triggers) *row {
	of := before
	if of == nil {
		of = &row{}
		keep(f.rows, uid, of)
	}
	*of = row{
		length: 1, told: of.told, ended: of.endedBy(uid, run),
		versions: of.versions[:0], writers: of.writers[:0], resting: of.resting[:0],
	}
	return of
}

// endedBy returns what is kept of a row that ends because of what has led to a reconcile: nil, unless all of that
// but one event of the object is its own writes.
func (r *row) endedBy(uid types.UID, run *triggers) *endedRow {
	if r.length < rejoined || run == nil || run.other {
		return nil
	}
	missing := ""
	for _, event := range run.events {
		if event.uid == uid && r.has(event.version) {
			continue
		}
		if event.uid != uid || missing != "" {
			return nil
		}
		missing = event.version
	}
	if missing == "" {
		return nil
	}
	ended := &endedRow{row: *r, missing: missing}
	ended.ended = nil
	ended.versions = slices.Clone(r.versions)
	ended.writers = slices.Clone(r.writers)
	ended.resting = slices.Clone(r.resting)
	return ended
}

// keep remembers a value, in the place of any other if there are too many.
func keep[K comparable, V any](all map[K]V, key K, value V) {
	if len(all) >= known {
		for other := range all {
			delete(all, other)
			break
		}
	}
	all[key] = value
}

// ItemEnded notes that an item is at rest, if the last write of a row has led to its reconcile and it has written
// nothing more.
func (f *Finder) ItemEnded(_ context.Context, ended *observe.Item) {
	if !f.active.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	by := item{ended.Owner, ended.Key}
	known := f.items[by]
	if known == nil {
		return
	}
	if known.run == nil {
		return
	}
	for _, event := range known.run.events {
		of := f.rows[event.uid]
		if of != nil && event.version == of.last() && !slices.Contains(known.wrote, event.uid) && !slices.Contains(of.resting, by) {
			of.resting = append(of.resting, by)
		}
	}
	f.over(known.run)
	known.run = nil
}

// ControllerRemoved forgets a controller.
func (f *Finder) ControllerRemoved(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.items, func(of item, _ *state) bool { return of.controller == name })
	maps.DeleteFunc(f.rows, func(_ types.UID, of *row) bool {
		return !slices.ContainsFunc(of.writers, func(w observe.LoopItem) bool { return w.Controller != name })
	})
}
