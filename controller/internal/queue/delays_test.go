// SPDX-License-Identifier: Apache-2.0

package queue_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/queue"
)

// added records when items are added.
type added struct {
	began time.Time
	mu    sync.Mutex
	list  []string
}

func (a *added) add(item string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, fmt.Sprintf("%s %v", item, time.Since(a.began)))
}

func (a *added) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.list, want) {
		t.Errorf("%q were added, want %q", a.list, want)
	}
}

func TestAnItemIsAddedAfterItsLastDelayOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &added{began: time.Now()}
		d := queue.NewDelays(a.add)
		defer d.Stop()
		d.Set("later", 10*time.Second)
		d.Set("earlier", 20*time.Second)
		d.Set("void", 5*time.Second)
		d.Set("later", 30*time.Second)
		d.Set("earlier", 2*time.Second)
		d.Cancel("void")
		d.Cancel("none")
		time.Sleep(time.Hour)
		a.expect(t, "earlier 2s", "later 30s")
		d.Set("later", time.Second)
		time.Sleep(time.Second)
		a.expect(t, "earlier 2s", "later 30s", "later 1h0m1s")
	})
}

func TestADelayThatIsHastenedEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &added{began: time.Now()}
		d := queue.NewDelays(a.add)
		defer d.Stop()
		var early, late, void queue.Delay
		d.Hasten("early", &early) // before it is set
		d.SetDelay("early", &early, time.Hour)
		d.SetDelay("late", &late, time.Hour)
		d.SetDelay("other", &void, time.Hour)
		d.Set("other", time.Minute)
		a.expect(t, "early 0s")
		time.Sleep(time.Second)
		d.Hasten("late", &late)
		d.Hasten("other", &void) // which is not the item's any more
		a.expect(t, "early 0s", "late 1s")
		time.Sleep(time.Hour)
		a.expect(t, "early 0s", "late 1s", "other 1m0s")
	})
}

// TestVoidDelaysLeaveNothing has an object with an event each second, which asks for a day each time.
func TestVoidDelaysLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &added{began: time.Now()}
		d := queue.NewDelays(a.add)
		defer d.Stop()
		for range 86_400 {
			d.Cancel("a")
			d.Set("a", 24*time.Hour)
			time.Sleep(time.Second)
		}
		if d.Len() != 1 {
			t.Errorf("%d delays are kept, want 1", d.Len())
		}
		d.Cancel("a")
		if d.Len() != 0 {
			t.Errorf("%d delays are kept, want none", d.Len())
		}
		time.Sleep(48 * time.Hour)
		a.expect(t)
	})
}

func TestNothingIsAddedAfterDelaysHaveStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &added{began: time.Now()}
		proceed := make(chan struct{})
		d := queue.NewDelays(func(item string) {
			<-proceed
			a.add(item)
		})
		d.Set("fires", time.Second)
		d.Set("waits", time.Minute)
		time.Sleep(time.Second)
		synctest.Wait()
		stopped := make(chan struct{})
		go func() {
			d.Stop()
			close(stopped)
		}()
		synctest.Wait()
		select {
		case <-stopped:
			t.Error("it has stopped while an item is being added")
		default:
		}
		close(proceed)
		<-stopped
		d.Set("late", time.Second)
		time.Sleep(time.Hour)
		a.expect(t, "fires 1s")
	})
}
