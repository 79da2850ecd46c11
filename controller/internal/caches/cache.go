// SPDX-License-Identifier: Apache-2.0

// Package caches runs the informers of a manager, and knows the state of each one's cache.
package caches

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Cache is an informer that the manager runs, and the state of its cache.
type Cache struct {
	cache.SharedIndexInformer
	name  string
	label string
	unit  *work.Unit

	objects objects

	running chan struct{} // is closed when the manager begins to run it

	// Guarded by Set.mu.
	stated  *Settings // what was said of what it keeps; nil for nothing
	users   int
	adopted bool // its factory runs it
	belongs bool // it is of a factory that the manager knows, or was added for its own sake

	ofProgram bool // the program itself reads it

	selection atomic.Pointer[Selection] // nil: not known yet
	followers atomic.Int64              // what tells of the cache's events

	late bool // it came when the manager ran already

	feeding     feeding
	versions    versions
	transformer transformer
	mutations   *mutations                             // nil unless they are looked for
	noting      cache.ResourceEventHandlerRegistration // nil unless they are noted from events
	counts      [4]atomic.Int64                        // by the index in Reasons
}

func newCache(informer cache.SharedIndexInformer, label string) *Cache {
	c := &Cache{
		SharedIndexInformer: informer, label: label, name: "informer of " + label,
		running: make(chan struct{}),
	}
	c.objects.name = c.name
	c.unit = &work.Unit{Kind: report.Informer, Owner: c.name, Streams: &work.Streams{}}
	return c
}

// HasSyncedChecker is done when the cache has synced, and the copies of its objects were made that the
// search for mutations needs.
func (c *Cache) HasSyncedChecker() cache.DoneChecker {
	if c.noting != nil {
		return c.noting.HasSyncedChecker()
	}
	return c.SharedIndexInformer.HasSyncedChecker()
}

// Name returns the informer's name.
func (c *Cache) Name() string { return c.name }

// Late reports whether the cache came when the manager ran already.
func (c *Cache) Late() bool { return c.late }

// Unit returns the unit of work that runs the informer.
func (c *Cache) Unit() *work.Unit { return c.unit }

// Run runs the informer until ctx ends. It fails if an object is not what the set-up says.
func (c *Cache) Run(ctx context.Context) error {
	close(c.running)
	c.transformer.logTo(ctx)
	if err := c.objects.run(ctx, c.SharedIndexInformer); err != nil {
		return err
	}
	if ctx.Err() == nil {
		return c.elsewhere()
	}
	return nil
}

// elsewhere says why an informer cannot be run: client-go runs one only once.
func (c *Cache) elsewhere() error {
	return fmt.Errorf("%s cannot be run by the manager: something else has started it, such as its factory or "+
		"another manager, so its cache would not be fed any more when that ends: do not start informers or "+
		"factories, the manager does", c.name)
}

// notStarted returns an error if the informer has been started.
func (c *Cache) notStarted() error {
	if c.SetWatchErrorHandlerWithContext(c.onError) != nil {
		return c.elsewhere()
	}
	return nil
}

// AwaitStart returns when the manager has started the informer, or is not going to because ctx has
// ended or gone was closed. An informer tells that it was started only when it is asked.
func (c *Cache) AwaitStart(ctx context.Context, gone <-chan struct{}) {
	select {
	case <-c.running:
	case <-gone:
		return
	case <-ctx.Done():
	}
	for ctx.Err() == nil && c.notStarted() == nil {
		runtime.Gosched()
	}
}

// Label returns the name of the cache in metrics: the kind of its objects.
func (c *Cache) Label() string { return c.label }

// Age returns for how long the API server has sent nothing for the cache. It is negative before the
// API server has sent anything.
func (c *Cache) Age(now time.Time) time.Duration {
	heard := c.unit.LastHeard()
	if heard.IsZero() {
		return -1
	}
	return now.Sub(heard)
}

// transform prepares an object for the cache. client-go calls it before anything else sees the object.
func (c *Cache) transform(obj any) (any, error) {
	c.versions.observe(c.LastSyncResourceVersion())
	kept, failed := c.transformer.apply(c.name, obj)
	if failed {
		c.Count(Transform)
	}
	if c.mutations != nil {
		c.mutations.note(c.name, kept)
	}
	return kept, nil
}

// noteEvents notes the objects of an informer that its factory runs, from its events: the manager
// could not set its transform.
func (c *Cache) noteEvents() {
	if c.mutations == nil {
		return
	}
	note := func(obj any) { c.mutations.note(c.name, obj) }
	// It fails only for an informer that has ended.
	c.noting, _ = c.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: note, UpdateFunc: func(_, after any) { note(after) },
	})
}

// Count counts an error.
func (c *Cache) Count(reason Reason) { c.counts[slices.Index(Reasons(), reason)].Add(1) }

// onError notes a list or watch error, and logs it unless it was the last one too. The end of a
// watch is no error.
func (c *Cache) onError(ctx context.Context, _ *cache.Reflector, err error) {
	if ctx.Err() != nil || err == nil || isRoutine(err) {
		return
	}
	if repeated := c.feeding.failed(err, time.Now()); !repeated {
		klog.FromContext(ctx).Info("List or watch failed, trying again"+hint(err), "informer", c.name, "err", err)
	}
}
