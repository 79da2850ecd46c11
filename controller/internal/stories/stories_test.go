// SPDX-License-Identifier: Apache-2.0

package stories_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/stories"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

func ended(b *stories.Book, controller, name string) {
	b.ItemEnded(context.Background(), &observe.Item{
		Unit: work.Unit{Owner: controller, Key: reconcile.Request{Name: name}, Start: time.Now()}, Outcome: reconcile.Done,
	})
}

func of(b *stories.Book, controller, name string) stories.Story {
	return b.Of(stories.Key{Controller: controller, Item: reconcile.Request{Name: name}})
}

func TestTheObjectsReconciledLastAreKept(t *testing.T) {
	b := &stories.Book{}
	ended(b, "c", "kept")
	ended(b, "c", "dropped")
	ended(b, "c", "kept")
	for i := range stories.Objects - 1 {
		ended(b, "c", fmt.Sprint(i))
	}
	if kept, dropped := of(b, "c", "kept"), of(b, "c", "dropped"); kept.Total != 2 || dropped.Total != 0 {
		t.Errorf("%d reconciles of what was reconciled again, %d of the other", kept.Total, dropped.Total)
	}
	ended(b, "c", "one more")
	ended(b, "c", "and another")
	if kept, more := of(b, "c", "kept"), of(b, "c", "one more"); kept.Total != 0 || more.Total != 1 || len(more.Records) != 1 {
		t.Errorf("%d reconciles of what makes room, %+v of the new one", kept.Total, more)
	}
	if last := b.Last(); len(last) != stories.Recent || last[0].Item.Name != "and another" || last[1].Item.Name != "one more" {
		t.Errorf("%d last reconciles, the last of %v", len(last), last[0].Item)
	}
}

func TestARemovedControllerIsForgotten(t *testing.T) {
	b := &stories.Book{}
	for _, name := range []string{"a", "b", "c"} {
		ended(b, "removed", name)
		ended(b, "other", name)
	}
	b.ControllerRemoved("removed")
	for _, name := range []string{"a", "b", "c"} {
		if removed, other := of(b, "removed", name), of(b, "other", name); removed.Total != 0 || other.Total != 1 {
			t.Errorf("%s: %d and %d", name, removed.Total, other.Total)
		}
	}
	for i := range stories.Objects + 1 { // the list is whole
		ended(b, "other", fmt.Sprint(i))
	}
}

func TestWhatIsKeptCostsNoAllocationForAnObjectThatIsKnown(t *testing.T) {
	b := &stories.Book{}
	item := &observe.Item{Unit: work.Unit{Owner: "c", Key: reconcile.Request{Name: "one"}}, Outcome: reconcile.Done}
	if n := testing.AllocsPerRun(1000, func() { b.ItemEnded(t.Context(), item) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestARecordIsTheReconcilesOwn although what is kept of an old one is used again for a new one.
func TestARecordIsTheReconcilesOwn(t *testing.T) {
	b := &stories.Book{ErrorTexts: true}
	names := []string{"often", "often", "often", "seldom"}
	of := func(i int) reconcile.Request {
		return reconcile.Request{Namespace: "default", Name: names[i%len(names)]}
	}
	const total = 3 * stories.Recent
	start := time.Now()
	for i := range total {
		item := &observe.Item{
			Unit:   work.Unit{Owner: "c", Key: of(i), Start: start.Add(time.Duration(i)), Attempt: i},
			Ready:  start,
			Reason: reconcile.ObjectChanged, Triggers: i, Outcome: reconcile.Done,
		}
		switch i % 5 {
		case 1:
			item.Outcome, item.Err = reconcile.Retried, fmt.Errorf("the %d-th", i)
		case 2:
			item.Trigger.Object = &metav1.ObjectMeta{Namespace: "default", Name: of(i).Name, ResourceVersion: fmt.Sprint(i)}
		case 3:
			item.Trigger.Object = &metav1.ObjectMeta{Namespace: "other", Name: "one", ResourceVersion: fmt.Sprint(i)}
		}
		b.ItemEnded(t.Context(), item)
	}
	check := func(r *stories.Record, i int) {
		t.Helper()
		want := stories.Event{}
		switch i % 5 {
		case 2:
			want = stories.Event{Kind: "ObjectMeta", Namespace: "default", Name: of(i).Name, Version: fmt.Sprint(i)}
		case 3:
			want = stories.Event{Kind: "ObjectMeta", Namespace: "other", Name: "one", Version: fmt.Sprint(i)}
		}
		failed := i%5 == 1
		switch {
		case r.Item != of(i) || r.Controller != "c" || r.Triggers != i || r.Attempt != i || r.Reason != reconcile.ObjectChanged:
			t.Errorf("%+v is not the %d-th", r, i)
		case !r.Began.Equal(start.Add(time.Duration(i))) || !r.Ready.Equal(start):
			t.Errorf("the %d-th was ready at %v and began at %v", i, r.Ready, r.Began)
		case r.Event != want:
			t.Errorf("the event of the %d-th is %+v, want %+v", i, r.Event, want)
		case failed != (r.Outcome == reconcile.Retried) || failed != (r.Error == fmt.Sprintf("the %d-th", i)):
			t.Errorf("the %d-th is %s, with %q", i, r.Outcome, r.Error)
		}
	}
	last := b.Last()
	for n := range last {
		check(&last[n], total-1-n)
	}
	story := b.Of(stories.Key{Controller: "c", Item: of(3)}) // the last of total, and each fourth before
	for n := range story.Records {
		check(&story.Records[n], total-1-4*(len(story.Records)-1-n))
	}
	if len(last) != stories.Recent || len(story.Records) != stories.Each || story.Total != total/4 {
		t.Errorf("%d last ones, %d of an object of %d", len(last), len(story.Records), story.Total)
	}
}
