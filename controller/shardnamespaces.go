// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// shardNamespaces keeps a set of namespaces: those in the slots that this replica has, is to have, or gives up.
// It is safe for concurrent use.
type shardNamespaces struct {
	set     *Namespaces
	all     cache.SharedIndexInformer // the metadata of all namespaces
	needed  func(namespace string) bool
	limit   time.Duration // of the wait for caches
	changed chan struct{} // holds an element after a change

	applying sync.Mutex

	mu       sync.Mutex
	checkers []func() []cache.DoneChecker
}

// newShardNamespaces makes a set that is empty. all is an informer of the metadata of all namespaces, and needed
// reports whether a namespace is in one of these slots.
func newShardNamespaces(all cache.SharedIndexInformer, needed func(namespace string) bool, limit time.Duration) (*shardNamespaces, error) {
	n := &shardNamespaces{set: NewNamespaces(), all: all, needed: needed, limit: limit, changed: make(chan struct{}, 1)}
	if _, err := all.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { n.notify() }, DeleteFunc: func(any) { n.notify() },
	}); err != nil {
		return nil, fmt.Errorf("watch the namespaces of this replica's slots: %w", err)
	}
	return n, nil
}

// Unit identifies it in reports.
func (n *shardNamespaces) Unit() *work.Unit {
	return &work.Unit{Kind: report.Informer, Owner: "namespaces of the slots"}
}

// use adds a user of the set. checkers returns what tells that its caches have synced.
func (n *shardNamespaces) use(checkers func() []cache.DoneChecker) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.checkers = append(n.checkers, checkers)
}

// notify lets the set be looked at again.
func (n *shardNamespaces) notify() {
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// Run keeps the set until ctx ends.
func (n *shardNamespaces) Run(ctx context.Context) error {
	for {
		select {
		case <-n.changed:
			n.apply()
		case <-ctx.Done():
			return nil
		}
	}
}

// apply makes the set what it is to be.
func (n *shardNamespaces) apply() {
	n.applying.Lock()
	defer n.applying.Unlock()
	names := n.all.GetStore().ListKeys()
	n.set.Set(slices.DeleteFunc(names, func(name string) bool { return !n.needed(name) })...)
}

// prepare fills the caches for the slots that this replica is to have.
func (n *shardNamespaces) prepare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, n.limit)
	defer cancel()
	if !cache.WaitFor(ctx, "", n.all.HasSyncedChecker()) {
		return // whoever reads the caches waits for them, and says so
	}
	n.apply()
	n.mu.Lock()
	users := slices.Clone(n.checkers)
	n.mu.Unlock()
	var checkers []cache.DoneChecker
	for _, of := range users {
		checkers = append(checkers, of()...)
	}
	if !cache.WaitFor(ctx, "", checkers...) {
		klog.FromContext(ctx).Info("The caches for this replica's slots have not all filled before it takes part: "+
			"their objects are reconciled when they have", "namespaces", len(n.set.List()))
	}
}
