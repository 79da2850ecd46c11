// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"

	"github.com/lanyard-k8s/lanyard/controller"
)

// workqueueBackoff returns a maker of back-offs that begin with a time.
func workqueueBackoff(first time.Duration) func() workqueue.TypedRateLimiter[controller.Request] {
	return func() workqueue.TypedRateLimiter[controller.Request] {
		return workqueue.NewTypedItemExponentialFailureRateLimiter[controller.Request](first, 100*time.Hour)
	}
}

// watchedBackoff knows the items that its back-off keeps something of.
type watchedBackoff struct {
	workqueue.TypedRateLimiter[controller.Request]
	mu   sync.Mutex
	kept map[controller.Request]bool
}

func newWatchedBackoff() *watchedBackoff {
	return &watchedBackoff{TypedRateLimiter: workqueueBackoff(time.Second)(), kept: map[controller.Request]bool{}}
}

func (b *watchedBackoff) When(item controller.Request) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept[item] = true
	return b.TypedRateLimiter.When(item)
}

func (b *watchedBackoff) Forget(item controller.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.kept, item)
	b.TypedRateLimiter.Forget(item)
}

func (b *watchedBackoff) expectKept(t *testing.T, want int) {
	t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.kept) != want {
		t.Errorf("the back-off keeps %v, want %d", b.kept, want)
	}
}

func fails() returns { return after(0).failing(errors.New("broken")) }

// TestTheBackOffBeginsAnew has two failures, something in between, and two failures more. The first
// back-off is a second, and each further one is twice as long.
func TestTheBackOffBeginsAnew(t *testing.T) {
	for name, test := range map[string]struct {
		between returns
		want    []string
	}{
		"after a success":         {after(time.Minute), []string{"0s", "1s attempt 2", "3s attempt 3", "1m3s", "1m4s attempt 2", "1m6s attempt 3"}},
		"after a terminal error":  {after(time.Minute).failing(controller.TerminalError(errors.New("no"))), []string{"0s", "1s attempt 2", "3s attempt 3", "1m3s", "1m4s attempt 2", "1m6s attempt 3"}},
		"but not after a failure": {after(time.Minute).failing(errors.New("no")), []string{"0s", "1s attempt 2", "3s attempt 3", "1m3s attempt 4", "1m11s attempt 5", "1m27s attempt 6"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				backoff := newWatchedBackoff()
				s := play(t, controller.Options{Backoff: backoff}, fails(), fails(), test.between, fails(), fails())
				time.Sleep(time.Hour)
				s.expect(t, test.want...)
				backoff.expectKept(t, 0)
			})
		})
	}
}

func TestTheBackOffGoesOnAfterAnEventAndBelongsToOneObject(t *testing.T) {
	bubble(t, func(t *testing.T) {
		backoff := newWatchedBackoff()
		s := play(t, controller.Options{Backoff: backoff}, fails(), fails(), fails(), fails(), fails(), fails())
		time.Sleep(4 * time.Second)
		s.event() // of the same object
		time.Sleep(time.Second)
		other := configMap("a")
		other.UID = types.UID("another")
		s.w.Modify(other) // deleted and recreated while the watch was down
		time.Sleep(500 * time.Millisecond)
		s.expect(t, "0s", "1s attempt 2", "3s attempt 3", "4s attempt 4", "5s")
		backoff.expectKept(t, 1)
		time.Sleep(time.Hour)
		s.expect(t, "0s", "1s attempt 2", "3s attempt 3", "4s attempt 4", "5s", "6s attempt 2", "8s attempt 3")
		backoff.expectKept(t, 0)
	})
}

func TestADeletedObjectHasABackOffOfItsOwnOfWhichNothingIsLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		backoff := newWatchedBackoff()
		s := play(t, controller.Options{Backoff: backoff}, fails(), fails(), fails(), fails())
		object := configMap("a")
		object.UID = "1"
		s.w.Modify(object.DeepCopy())
		time.Sleep(1500 * time.Millisecond)
		s.w.Delete(object.DeepCopy())
		time.Sleep(500 * time.Millisecond)
		backoff.expectKept(t, 1)
		time.Sleep(time.Hour)
		s.expect(t, "0s", "0s", "1s attempt 2", "deleted", "1.5s", "deleted", "2.5s attempt 2")
		backoff.expectKept(t, 0)
	})
}

func TestASupersededReconcileNeitherCountsNorResetsTheBackOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		backoff := newWatchedBackoff()
		w, r := newWorld(t), &runs{}
		w.Add(generation("a", 1))
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			r.add("%d attempt %d", cm.Generation, controller.Attempt(ctx))
			if cm.Generation == 2 {
				<-ctx.Done()
				return controller.Result{}, ctx.Err()
			}
			return controller.Result{}, errors.New("broken")
		}, controller.Options{SupersedeLimit: 3, Backoff: backoff})
		start(t, t.Context(), m)
		time.Sleep(1500 * time.Millisecond)
		w.Modify(generation("a", 2))
		time.Sleep(time.Second)
		w.Modify(generation("a", 3))
		time.Sleep(3 * time.Second)
		if got, want := fmt.Sprint(r.get()), "[1 attempt 1 1 attempt 2 2 attempt 3 3 attempt 3]"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		time.Sleep(1100 * time.Millisecond) // the third back-off is four seconds
		if got := r.get(); got[len(got)-1] != "3 attempt 4" {
			t.Errorf("%q, want a fourth attempt after the third back-off", got)
		}
		backoff.expectKept(t, 1)
	})
}

// TestTheNextTermBeginsWithAnEmptyBackOff because objects that are deleted between two terms are
// never heard of again.
func TestTheNextTermBeginsWithAnEmptyBackOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, w, r := &leaseAPI{}, newWorld(t), &runs{}
		w.add("a", "b")
		backoff := newWatchedBackoff()
		m := newManager(controller.ManagerOptions{LeaderElection: elect(api, "a")})
		controller.New(m, "c", w.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			r.add("%s %d", cm.Name, controller.Attempt(ctx))
			return controller.Result{}, errors.New("broken")
		}, controller.Options{Backoff: backoff})
		start(t, t.Context(), m)
		time.Sleep(time.Minute)
		backoff.expectKept(t, 2)
		ends["taken"].do(api)
		synctest.Wait()
		api.setDown(true)
		backoff.expectKept(t, 0)
		w.Delete(configMap("b"))
		before := len(r.get())
		api.setDown(false)
		time.Sleep(time.Minute)
		if got := r.get(); len(got) <= before || got[before] != "a 1" {
			t.Errorf("in the second term it reconciled %q", got[before:])
		}
		backoff.expectKept(t, 1)
	})
}

// uncounted is a back-off that counts nothing, as client-go's TypedBucketRateLimiter.
type uncounted struct{}

func (uncounted) When(controller.Request) time.Duration { return time.Second }
func (uncounted) Forget(controller.Request)             {}
func (uncounted) NumRequeues(controller.Request) int    { return 0 }

func TestAttemptsAreCountedWithEachBackOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := play(t, controller.Options{Backoff: uncounted{}}, fails(), fails(), after(0))
		time.Sleep(time.Hour)
		s.expect(t, "0s", "1s attempt 2", "2s attempt 3")
	})
}

func TestOutsideAReconcileThereIsNoAttempt(t *testing.T) {
	if got := controller.Attempt(t.Context()); got != 0 {
		t.Errorf("it is %d, want 0", got)
	}
}
