// Package cache has the signatures of the real one that the goldens need.
package cache

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type InformerSynced func() bool
type DoneChecker interface{ Name() string }
type SyncResult struct{ Err error }

func WaitForCacheSync(stopCh <-chan struct{}, synced ...InformerSynced) bool { return true }
func WaitFor(ctx context.Context, what string, checkers ...DoneChecker) bool { return true }

type ListFunc func(options metav1.ListOptions) (any, error)
type ListWithContextFunc func(ctx context.Context, options metav1.ListOptions) (any, error)
type WatchFunc func(options metav1.ListOptions) (any, error)
type WatchFuncWithContext func(ctx context.Context, options metav1.ListOptions) (any, error)

type ListWatch struct {
	ListFunc             ListFunc
	WatchFunc            WatchFunc
	ListWithContextFunc  ListWithContextFunc
	WatchFuncWithContext WatchFuncWithContext
	DisableChunking      bool
}

type Informer interface {
	Run(stopCh <-chan struct{})
	RunWithContext(ctx context.Context)
	Start(stopCh <-chan struct{}) map[string]bool
	StartWithContext(ctx context.Context) SyncResult
	HasSynced() bool
}

// Dynamic has no siblings, as the dynamic informer factory has none.
type Dynamic interface {
	Start(stopCh <-chan struct{})
}

type ResourceEventHandler interface {
	OnAdd(obj any, isInInitialList bool)
	OnUpdate(oldObj, newObj any)
	OnDelete(obj any)
}

type ResourceEventHandlerFuncs struct {
	AddFunc    func(obj any)
	UpdateFunc func(oldObj, newObj any)
	DeleteFunc func(obj any)
}

type FilteringResourceEventHandler struct {
	FilterFunc func(obj any) bool
	Handler    any
}

type Reflector struct{}

func (r *Reflector) Run(stopCh <-chan struct{}) {}
