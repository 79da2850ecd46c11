// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
)

// Source feeds a controller: the informer of [Owns] or [Watches], or the function of
// [Controller.AddSource]. All methods are safe for concurrent use.
type Source struct {
	cache *caches.Cache // of an informer; nil for others
	once  sync.Once
	stop  func() // nil after a mistake
}

// Stop removes the source from its controller, and returns when the source does not feed it any
// more. An informer that nothing else uses ends. What is in the controller's queue stays there. Stop
// must not be called from a filter, a mapping or a function of the source itself.
func (s *Source) Stop() {
	s.once.Do(func() {
		if s.stop != nil {
			s.stop()
		}
	})
}

// WaitForSync waits until the cache of the source's informer has synced, or ctx ends; then the error
// is the cause. Use it for a source of a controller that runs already: the controller does not wait
// for the cache, and its lister finds nothing before.
func (s *Source) WaitForSync(ctx context.Context) error {
	if s.cache == nil || cache.WaitFor(ctx, "", s.cache.HasSyncedChecker()) {
		return nil
	}
	return fmt.Errorf("wait for the cache: %w: %w", context.Cause(ctx), s.cache.SyncError())
}
