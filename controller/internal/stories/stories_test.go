// SPDX-License-Identifier: Apache-2.0

package stories_test

import (
	"context"
	"fmt"
	"testing"
	"time"

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
