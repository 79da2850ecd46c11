// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// failures counts how often each item has failed in a row, and keeps the back-off in step with that:
// it is forgotten when an item has not failed, when its object is another one, and at the end. So
// neither keeps anything of an object that is gone. It is safe for concurrent use.
type failures struct {
	backoff workqueue.TypedRateLimiter[reconcile.Request]

	mu  sync.Mutex
	row map[reconcile.Request]failed
}

type failed struct {
	uid   types.UID // of the object; empty if it was gone
	times int
}

func newFailures(backoff workqueue.TypedRateLimiter[reconcile.Request]) *failures {
	return &failures{backoff: backoff, row: map[reconcile.Request]failed{}}
}

// attempt returns the number of the try that an item is: 1 if the last one did not fail, or was of
// another object of this name.
func (f *failures) attempt(item *observe.Item) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	row, ok := f.row[item.Key]
	read := item.Err == nil
	if ok && read && row.uid != item.UID {
		f.drop(item.Key)
		return 1
	}
	return row.times + 1
}

// add counts a failure, and returns how long the back-off waits after it.
func (f *failures) add(item *observe.Item) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.row[item.Key] = failed{uid: item.UID, times: item.Attempt}
	return f.backoff.When(item.Key)
}

// hold returns how long the back-off waits before an item is tried again that could not be reconciled yet: its object
// has not been read, so its row stays as it is.
func (f *failures) hold(request reconcile.Request) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.row[request]; !known {
		f.row[request] = failed{} // so that the back-off is forgotten
	}
	return f.backoff.When(request)
}

// forget ends the row of an item that has not failed.
func (f *failures) forget(request reconcile.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(request)
}

// forgetAll ends all rows. The back-off may be used again, for another session.
func (f *failures) forgetAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for request := range f.row {
		f.drop(request)
	}
}

func (f *failures) drop(request reconcile.Request) {
	delete(f.row, request)
	f.backoff.Forget(request)
}
