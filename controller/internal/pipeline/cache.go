// SPDX-License-Identifier: Apache-2.0

package pipeline

import "k8s.io/client-go/tools/cache"

// Cache is the cache of a source. Two sources may have the same.
type Cache interface {
	HasSyncedChecker() cache.DoneChecker
	// SyncError says why the cache is not full yet.
	SyncError() error
	// Late reports whether the cache came when the manager ran already.
	Late() bool
}
