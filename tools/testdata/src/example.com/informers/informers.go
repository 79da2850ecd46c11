// Package informers has a factory of informers like those that are generated.
package informers

import "context"

type SharedInformerFactory interface {
	Start(stopCh <-chan struct{})
	StartWithContext(ctx context.Context)
	WaitForCacheSync(stopCh <-chan struct{}) map[string]bool
	WaitForCacheSyncWithContext(ctx context.Context) map[string]bool
	Shutdown()
}

type DynamicSharedInformerFactory interface {
	Start(stopCh <-chan struct{})
}
