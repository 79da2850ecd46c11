// SPDX-License-Identifier: Apache-2.0

// Package caches runs the informers of a manager, and knows the state of each one's cache.
package caches

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Cache is an informer that the manager runs, with the last error of its list and watch calls.
type Cache struct {
	cache.SharedIndexInformer
	name string
	kind schema.GroupKind // of the objects
	unit *work.Unit

	running chan struct{} // is closed when the manager begins to run it

	// Guarded by Set.mu.
	stated  *Settings // what was said of what it keeps; nil for nothing
	users   int
	adopted bool // its factory runs it
	belongs bool // it is of a factory that the manager knows, or was added for its own sake

	ofProgram bool // the program itself reads it

	mu      sync.Mutex
	lastErr error
}

func newCache(informer cache.SharedIndexInformer, kind schema.GroupKind) *Cache {
	c := &Cache{
		SharedIndexInformer: informer, kind: kind, name: "informer of " + kind.String(),
		running: make(chan struct{}),
	}
	c.unit = &work.Unit{Kind: report.Informer, Owner: c.name}
	return c
}

// Name returns the informer's name.
func (c *Cache) Name() string { return c.name }

// Unit returns the unit of work that runs the informer.
func (c *Cache) Unit() *work.Unit { return c.unit }

// Run runs the informer until ctx ends.
func (c *Cache) Run(ctx context.Context) error {
	close(c.running)
	c.RunWithContext(ctx)
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
func (c *Cache) Label() string { return c.kind.String() }

// Age returns for how long the API server has sent nothing for the cache. It is negative before the
// API server has sent anything.
func (c *Cache) Age(now time.Time) time.Duration {
	heard := c.unit.LastHeard()
	if heard.IsZero() {
		return -1
	}
	return now.Sub(heard)
}

// onError keeps the last list or watch error, and logs it once until another one comes.
func (c *Cache) onError(ctx context.Context, _ *cache.Reflector, err error) {
	if ctx.Err() != nil || err == nil {
		return
	}
	c.mu.Lock()
	repeated := c.lastErr != nil && c.lastErr.Error() == err.Error()
	c.lastErr = err
	c.mu.Unlock()
	routine := apierrors.IsResourceExpired(err) || apierrors.IsGone(err) ||
		utilnet.IsProbableEOF(err)
	if !repeated && !routine {
		logger := klog.FromContext(ctx)
		logger.Info("List or watch failed, trying again", "informer", c.name, "err", err)
	}
}

// SyncError says why the cache is not full yet.
func (c *Cache) SyncError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lastErr == nil {
		return fmt.Errorf("%s: the API server has not answered its list yet", c.name)
	}
	return fmt.Errorf("%s: %w%s", c.name, c.lastErr, hint(c.lastErr))
}

// hint says what to do about the errors that are common with new controllers.
func hint(err error) string {
	switch {
	case apierrors.IsForbidden(err):
		return " (grant list and watch on it to the user that the controller runs as)"
	case apierrors.IsNotFound(err):
		return " (is its CustomResourceDefinition installed?)"
	case apierrors.IsUnauthorized(err):
		return " (the credentials in the kubeconfig or the service account's token are not accepted)"
	case utilnet.IsConnectionRefused(err):
		return " (nothing listens there: is the API server up, and the address in the kubeconfig right?)"
	}
	return ""
}
