// SPDX-License-Identifier: Apache-2.0

// Package pipeline runs one controller: sources feed a queue, workers take items out of it,
// reconcile them, and put them back according to the outcome. It knows nothing of managers, Leases,
// Go types of objects, or who observes it.
package pipeline

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/workqueue"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Config is what does not change while a pipeline exists.
type Config struct {
	Name        string
	MetricsName string
	Kind        schema.GroupKind // of the objects
	Workers     int
	Backoff     workqueue.TypedRateLimiter[reconcile.Request]
	Limits      work.Limits

	SyncTimeout    time.Duration // for the sources' caches to fill
	DrainTimeout   time.Duration // for items in flight at the end; zero or less: they are cancelled
	SupersedeLimit int           // how often in a row an item may be superseded; zero or less: never

	// FairBy returns the tenant of an item, and Priority its priority. Each may be nil. See
	// queue.Ranked.
	FairBy   func(reconcile.Request) string
	Priority func(reconcile.Request) int

	// Cancellable lets Pipeline.Cancel cancel items.
	Cancellable bool

	// Caches returns caches that must have synced before the workers start, besides those of the
	// sources. It may wait until it knows them, or ctx ends.
	Caches func(ctx context.Context) []Cache
	// Read returns the object of a request as it is in the cache, or nil if it is not there.
	Read func(reconcile.Request) (metav1.Object, error)
	// Reconcile reconciles an item. A panic in it is an error of the item.
	Reconcile func(ctx context.Context, item *observe.Item) (reconcile.Result, error)

	// Gate keeps items back whose caches are too old, and those that trigger themselves.
	Gate Gate

	// Shards says which items this process works on. Nil: all.
	Shards Shards

	// Rounds makes a session a dry run: each item is reconciled that often, whatever becomes of it, and
	// Complete is called when that is done. Zero: sessions go on.
	Rounds   int
	Complete func()

	Observers observe.Observers
	// Stacks reports whether reports need the stacks of the workers' goroutines.
	Stacks bool
}
