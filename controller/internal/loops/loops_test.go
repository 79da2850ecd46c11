// SPDX-License-Identifier: Apache-2.0

package loops

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// told collects the loops that are told.
type told struct {
	observe.Nop
	loops []*observe.Loop
}

func (o *told) LoopFound(_ context.Context, loop *observe.Loop) { o.loops = append(o.loops, loop) }

// newFinder returns a finder that lets the object of the tests have no more writes free.
func newFinder() (*Finder, *told) {
	all := &told{}
	finder := New(func() observe.Observers { return observe.Observers{all} })
	for range Free {
		finder.seldom.free("u", time.Time{})
	}
	return finder, all
}

var key = reconcile.Request{Namespace: "default", Name: "a"}

// play is reconciles of an object, each of which writes it.
type play struct {
	*Finder
	version int
	last    *corev1.ConfigMap
}

// event tells of a state of the object with the next version.
func (p *play) event() {
	before := p.last
	p.last = &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: fmt.Sprint(p.version)},
		Data:       map[string]string{"n": fmt.Sprint(p.version)},
	}
	e := &observe.Enqueue{Controller: "c", Reason: reconcile.ObjectChanged, Object: p.last, Requests: []reconcile.Request{key}}
	if before != nil {
		e.Before = before
	}
	p.Enqueued(context.Background(), e)
}

// reconciled is a reconcile that writes the object unless it is at rest. meanwhile is what happens before it
// returns.
func (p *play) reconciled(writes bool, meanwhile ...func()) {
	item := &observe.Item{Unit: work.Unit{Owner: "c", Key: key}}
	p.ItemBegan(context.Background(), item)
	if writes {
		p.version++
		p.CallWrote(context.Background(), &observe.Call{Unit: &item.Unit}, &observe.Write{
			UID: types.UID("u"), Before: fmt.Sprint(p.version - 1), Version: fmt.Sprint(p.version),
		})
	}
	for _, happens := range meanwhile {
		happens()
	}
	p.ItemEnded(context.Background(), item)
}

func TestC20AnObjectThatIsWrittenAgainAndAgainIsTold(t *testing.T) {
	finder, all := newFinder()
	p := &play{Finder: finder}
	for range Limit + 5 {
		p.reconciled(true)
		p.event()
	}
	if len(all.loops) != 1 || all.loops[0].Times != Limit || cmp.Diff([]string{"data.n"}, all.loops[0].Changed) != "" {
		t.Fatalf("told %+v", all.loops)
	}
	now := time.Now()
	if delay := finder.Delay("c", key, now); delay != firstDelay<<5 {
		t.Errorf("the delay is %v", delay)
	}
	p.version++
	p.event() // by somebody else
	if delay := finder.Delay("c", key, now); delay != 0 {
		t.Errorf("after the change of another the delay is %v", delay)
	}
}

// TestC20NothingIsKeptOfAnObjectThatIsSeldomWritten, and one that was written often enough goes on with its row after
// the period.
func TestC20NothingIsKeptOfAnObjectThatIsSeldomWritten(t *testing.T) {
	finder, all := newFinder()
	at := time.Now()
	write := func(version int) {
		item := &observe.Item{Unit: work.Unit{Owner: "c", Key: key}}
		finder.ItemBegan(t.Context(), item)
		finder.CallWrote(t.Context(), &observe.Call{Outstanding: work.Outstanding{Start: at}, Unit: &item.Unit}, &observe.Write{
			UID: "u", Before: fmt.Sprint(version - 1), Version: fmt.Sprint(version),
		})
		finder.ItemEnded(t.Context(), item)
		finder.Enqueued(t.Context(), &observe.Enqueue{
			Controller: "c", Reason: reconcile.ObjectChanged, Requests: []reconcile.Request{key},
			Object: &metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: fmt.Sprint(version)},
			Before: &metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: fmt.Sprint(version - 1)},
		})
	}
	for version := range 5 * Free {
		if version%Free == 0 {
			at = at.Add(FreePeriod)
		}
		write(version + 1)
	}
	if len(finder.items) != 0 || len(finder.rows) != 0 || finder.active.Load() {
		t.Fatalf("%d items and %d rows are known", len(finder.items), len(finder.rows))
	}
	for version := range Limit - 1 {
		write(5*Free + version + 1)
	}
	at = at.Add(FreePeriod)
	if len(all.loops) != 0 {
		t.Fatalf("told %+v", all.loops)
	}
	write(5*Free + Limit)
	if len(all.loops) != 1 || all.loops[0].Times != Limit {
		t.Errorf("told %+v", all.loops)
	}
}

func TestC20AReconcileThatSomethingElseHasTriggeredTooIsNoPartOfALoop(t *testing.T) {
	finder, all := newFinder()
	p := &play{Finder: finder}
	for range 10 * Limit {
		p.reconciled(true)
		p.event()
		p.version++
		p.event() // by somebody else
	}
	if len(all.loops) != 0 || finder.Delay("c", key, time.Now()) != 0 {
		t.Errorf("told %+v", all.loops)
	}
}

func TestC20AReconcileThatWritesNothingEndsTheRow(t *testing.T) {
	for name, early := range map[string]bool{"the event comes later": false, "the event comes before it returns": true} {
		t.Run(name, func(t *testing.T) {
			finder, all := newFinder()
			p := &play{Finder: finder}
			for i := range 10 * Limit {
				if writes := i%(Limit-1) != 0; early {
					p.reconciled(writes, p.event)
				} else {
					p.reconciled(writes)
					p.event()
				}
			}
			if len(all.loops) != 0 {
				t.Errorf("told %+v", all.loops)
			}
		})
	}
}

// TestC20TwoThatUndoEachOthersWritesAreToldAlthoughEachRestsAfterItsOwn: what triggers the one to write triggers
// the other to write nothing.
func TestC20TwoThatUndoEachOthersWritesAreToldAlthoughEachRestsAfterItsOwn(t *testing.T) {
	finder, all := newFinder()
	p := &play{Finder: finder}
	ctx := t.Context()
	names := []string{"ones", "twos"}
	var last *corev1.ConfigMap
	run := func(name string, writes bool) {
		item := &observe.Item{Unit: work.Unit{Owner: name, Key: key}}
		p.ItemBegan(ctx, item)
		if writes {
			p.version++
			p.CallWrote(ctx, &observe.Call{Unit: &item.Unit}, &observe.Write{
				UID: "u", Before: fmt.Sprint(p.version - 1), Version: fmt.Sprint(p.version),
			})
		}
		p.ItemEnded(ctx, item)
	}
	for i := range Limit + 2 {
		run(names[i%2], true)
		before := last
		last = &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: fmt.Sprint(p.version)},
			Data:       map[string]string{"by": names[i%2]},
		}
		for _, name := range names {
			e := &observe.Enqueue{Controller: name, Reason: reconcile.ObjectChanged, Object: last, Requests: []reconcile.Request{key}}
			if before != nil {
				e.Before = before
			}
			p.Enqueued(ctx, e)
		}
		run(names[i%2], false) // it finds what it has written
	}
	if len(all.loops) != 1 || len(all.loops[0].Items) != 2 || cmp.Diff([]string{"data.by"}, all.loops[0].Changed) != "" {
		t.Fatalf("told %+v", all.loops)
	}
}

// TestC20AnAnswerThatComesAfterTheWriteThatItsEventHasLedToEndsNoRow: on a busy machine, one who is woken by the event may
// have its answer first.
func TestC20AnAnswerThatComesAfterTheWriteThatItsEventHasLedToEndsNoRow(t *testing.T) {
	finder, all := newFinder()
	ctx := t.Context()
	var last *corev1.ConfigMap
	event := func(version int) {
		before := last
		last = &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: fmt.Sprint(version)},
			Data:       map[string]string{"n": fmt.Sprint(version)},
		}
		for _, name := range []string{"ones", "twos"} {
			e := &observe.Enqueue{Controller: name, Reason: reconcile.ObjectChanged, Object: last, Requests: []reconcile.Request{key}}
			if before != nil {
				e.Before = before
			}
			finder.Enqueued(ctx, e)
		}
	}
	began := func(name string) *observe.Item {
		item := &observe.Item{Unit: work.Unit{Owner: name, Key: key}}
		finder.ItemBegan(ctx, item)
		return item
	}
	answered := func(item *observe.Item, version int) {
		finder.CallWrote(ctx, &observe.Call{Unit: &item.Unit}, &observe.Write{
			UID: "u", Before: fmt.Sprint(version - 1), Version: fmt.Sprint(version),
		})
		finder.ItemEnded(ctx, item)
	}
	version := 0
	for i := range Limit {
		one := began("ones")
		version++
		event(version) // of what the first writes
		two := began("twos")
		if i%4 == 3 {
			// The second has read what the first wrote, and is answered sooner.
			answered(two, version+1)
			answered(one, version)
		} else {
			answered(one, version)
			answered(two, version+1)
		}
		version++
		event(version)
	}
	if len(all.loops) != 1 || len(all.loops[0].Items) != 2 {
		t.Fatalf("told %+v", all.loops)
	}
	if delay := finder.Delay("ones", key, time.Now()); delay < firstDelay {
		t.Errorf("the delay is %v", delay)
	}
	// Somebody else's change is no such answer.
	version++
	event(version)
	answered(began("ones"), version+1)
	version++
	event(version)
	if delay := finder.Delay("ones", key, time.Now()); delay != 0 {
		t.Errorf("after the change of another the delay is %v", delay)
	}
}

func TestC20AControllerThatIsRemovedIsForgotten(t *testing.T) {
	finder, _ := newFinder()
	p := &play{Finder: finder}
	p.reconciled(true)
	p.event()
	finder.ControllerRemoved("other")
	if len(finder.items) != 1 || len(finder.rows) != 1 {
		t.Errorf("%d items and %d rows are known", len(finder.items), len(finder.rows))
	}
	finder.ControllerRemoved("c")
	if len(finder.items) != 0 || len(finder.rows) != 0 {
		t.Errorf("%d items and %d rows are left", len(finder.items), len(finder.rows))
	}
}
