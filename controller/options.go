// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/util/workqueue"
)

// Options configures a controller. The zero value works.
type Options struct {
	// Workers is the number of objects that are reconciled at the same time. Default: 1.
	Workers int

	// Backoff delays the next try after an error, for each object. [ReconcileFunc] says when it begins
	// anew. It must not be shared with another controller. Default: 10 ms, doubled for each error in a
	// row, at most five minutes.
	Backoff workqueue.TypedRateLimiter[Request]

	// FairBy returns the tenant of an object, such as its namespace: see [ByNamespace]. Tenants take
	// turns then, so that many objects of one tenant do not delay those of another: an object waits
	// for at most one object of each other tenant, besides those that workers have already. Default:
	// nil, which reconciles objects in the order of their events.
	//
	// FairBy is called for each event, on many goroutines, and must not block. A lister may be asked;
	// a deleted object is not in it any more.
	FairBy func(request Request) string

	// Priority returns the priority of an object. Objects of the highest priority are reconciled
	// first, and tenants take turns among them. While objects of lower priority wait, one object in
	// nine is the one of them that has waited longest, so that none starves. Default: nil, which gives
	// each object the priority 0. An urgent object has a higher one, and one that can wait a negative
	// one.
	//
	// Of two objects of one priority, the one that has changed comes before the one that was there at
	// the start or is resynced. An object that was superseded comes before all others.
	//
	// Priority is called like FairBy, and again whenever the object is added to the queue: at each
	// event and before each further try. If it has risen while the object waits, the object moves.
	Priority func(request Request) int

	// Timeout limits one reconcile. Default: five minutes. A reconcile that takes longer is logged,
	// counted as a timeout, and tried again after a back-off. The context of the reconcile function
	// ends earlier, by the time of Reserve, with [cause.ItemTimeout]; use [ReserveContext] for what
	// is still to be done in that time.
	Timeout time.Duration

	// Reserve is the last part of Timeout. It is there to write a status that says what took so
	// long. Default: five seconds, but at most a quarter of Timeout.
	Reserve time.Duration

	// DrainTimeout overrides ManagerOptions.DrainTimeout for this controller. Zero, the default,
	// does not override it. Negative: items in flight are cancelled at once.
	DrainTimeout time.Duration

	// AllowStaleReads lets an object be reconciled again before the caches of the manager show what its
	// last reconcile has written. By default the object waits for them, without occupying a worker, for at
	// most Timeout.
	AllowStaleReads bool

	// SupersedeLimit lets a change of the object's generation, or its deletion, cancel a running
	// reconcile. The context of the reconcile ends with [cause.Superseded] or
	// [cause.ObjectDeleted], and the object is reconciled again at once, before all others.
	// SupersedeLimit is how many times in a row this may happen to one object; the next reconcile
	// may finish. Default: 0, which never cancels.
	SupersedeLimit int

	// OnDeleted is called instead of the reconcile function when the object is not in the cache.
	// The rules of [ReconcileFunc] apply. It is not needed if everything that was made for the
	// object has an owner reference to it, because then the garbage collector deletes it. Default:
	// nil.
	OnDeleted func(ctx context.Context, request Request) (Result, error)

	// EveryReplica makes the controller work on every replica. Otherwise, if
	// ManagerOptions.LeaderElection is set, it works only while its process leads.
	EveryReplica bool

	// Sharded makes the controller work on every replica, on those objects whose slots the replica has, if
	// ManagerOptions.Sharding is set. When a slot is lost or moves, the contexts of its objects' reconciles
	// end with [cause.ShardLost], and when it is gained, all of its objects are reconciled. The caches hold
	// the objects of all slots. Without ManagerOptions.Sharding it has no effect.
	Sharded bool

	// MetricsName is the name of the controller in metrics. Give controllers that come and go at run
	// time the same one: OpenTelemetry keeps a series for each name until the process ends. Default:
	// the controller's name.
	MetricsName string

	// DisableDeepCopy passes the cached object itself to the reconcile function, which must not
	// change it, instead of a copy. See also DetectMutations.
	DisableDeepCopy bool

	// DetectMutations, with DisableDeepCopy, compares each object before and after its reconcile.
	// If the object was changed, the reconcile fails. Use it in tests: it costs more than the copy.
	DetectMutations bool
}

// ByNamespace is an [Options.FairBy] by which the objects of each namespace have their turns.
func ByNamespace(request Request) string { return request.Namespace }

func (o *Options) setDefaults(manager *ManagerOptions) {
	o.Workers = cmp.Or(o.Workers, 1)
	if o.Backoff == nil {
		o.Backoff = workqueue.NewTypedItemExponentialFailureRateLimiter[Request](
			10*time.Millisecond,
			5*time.Minute,
		)
	}
	o.Timeout = cmp.Or(o.Timeout, 5*time.Minute)
	o.Reserve = cmp.Or(o.Reserve, min(5*time.Second, o.Timeout/4))
	o.DrainTimeout = cmp.Or(o.DrainTimeout, manager.DrainTimeout)
}

// validate returns what is wrong, after the defaults were set.
func (o *Options) validate(manager *ManagerOptions) error {
	var errs []error
	if o.Workers < 0 {
		errs = append(errs, fmt.Errorf("it has %d workers", o.Workers))
	}
	switch {
	case o.Sharded && o.EveryReplica:
		errs = append(errs, errors.New("it is both Sharded and EveryReplica: choose one"))
	case manager.Sharding != nil && manager.LeaderElection == nil && !o.Sharded && !o.EveryReplica:
		errs = append(errs, errors.New("ManagerOptions.Sharding is set, so that all replicas work, and it does not say on what: "+
			"set Options.Sharded, Options.EveryReplica, or ManagerOptions.LeaderElection for one replica at a time"))
	}
	if o.Reserve < 0 || o.Timeout <= o.Reserve {
		errs = append(
			errs,
			fmt.Errorf("its items have %v, of which %v are reserved: nothing is left",
				o.Timeout, o.Reserve),
		)
	}
	if limit := manager.ShutdownTimeout; o.DrainTimeout >= limit {
		errs = append(
			errs,
			fmt.Errorf("its items have %v to finish, but Run waits only %v for everything: "+
				"raise ManagerOptions.ShutdownTimeout", o.DrainTimeout, limit),
		)
	}
	return errors.Join(errs...)
}
