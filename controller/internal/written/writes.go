// SPDX-License-Identifier: Apache-2.0

// Package written knows what items have written and the caches have not shown yet, so that an item is not
// reconciled again from caches that are older than its own writes. The idea is that of the barriers in
// controller-runtime's client and of the ConsistencyStore in kube-controller-manager; here it works for
// each client of the manager, because the transport tells what was written.
package written

import (
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Item is an item of a controller.
type Item struct {
	Controller string
	Key        reconcile.Request
}

// Writes is the writes of a manager's items that caches have not shown. It is safe for concurrent use.
type Writes struct {
	observe.Nop
	set       *caches.Set
	factories *work.Streams // of the informers that factories run

	open atomic.Int64 // the number of needs and doubts: nothing is looked up while there are none

	mu    sync.Mutex
	needs map[place]*need
	items map[Item]*account
	swept int
}

// place is where an object is in a cache.
type place struct {
	cache *caches.Cache
	key   reconcile.Request
}

// need is what a cache must show of an object.
type need struct {
	place
	version string    // this version or a later one; empty: any
	gone    types.UID // of an object that it must not have any more; empty: none
	since   time.Time
	items   []Item // that have written this
	waiting []*waiting
}

// account is what an item has written.
type account struct {
	needs  []*need
	doubts []doubt
}

// waiting is an item that waits for caches.
type waiting struct {
	left int
	wake func()
}

// New makes an empty Writes for the caches of a manager.
func New(set *caches.Set, factories *work.Streams) *Writes {
	return &Writes{set: set, factories: factories, needs: map[place]*need{}, items: map[Item]*account{}}
}

// doubt is a write of which nobody knows whether the API server has applied it.
type doubt struct {
	resource string
	observe.Write
}
