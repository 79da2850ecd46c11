// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// watcher keeps a view up to date. It is client-go's Reflector without an informer behind it, because the
// order of the changes matters: a renewal that is seen proves that what was written before has been seen.
type watcher struct {
	config *Config
	view   *view
	// seen is called after the view has taken in a Lease.
	seen func(lease *coordinationv1.Lease, deleted bool)

	forbidden atomic.Pointer[error] // the last list was forbidden; nil: it was not
}

// run watches until ctx ends.
func (w *watcher) run(ctx context.Context) {
	logger := klog.FromContext(ctx)
	reflector := cache.NewReflectorWithOptions(w.listWatch(), &coordinationv1.Lease{}, store{w}, cache.ReflectorOptions{
		Logger: &logger, Name: "leases of " + w.config.Name.String(),
	})
	reflector.RunWithContext(ctx)
}

func (w *watcher) listWatch() *cache.ListWatch {
	selector := w.config.names().selector()
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.LabelSelector = selector
			list, err := w.config.leases().List(ctx, options)
			w.note(err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = selector
			watching, err := w.config.leases().Watch(ctx, options)
			if err != nil {
				w.note(err)
			}
			return watching, err
		},
	}
}

// note keeps an error that does not pass by itself.
func (w *watcher) note(err error) {
	if !apierrors.IsForbidden(err) {
		w.forbidden.Store(nil)
		return
	}
	w.forbidden.Store(&err)
	w.view.notify()
}

// store is what the Reflector fills. It calls it from one goroutine.
type store struct{ *watcher }

var _ cache.ReflectorStore = store{}

// Add takes in a Lease.
func (s store) Add(obj any) error { return s.Update(obj) }

// Update takes in a Lease.
func (s store) Update(obj any) error {
	if lease, ok := obj.(*coordinationv1.Lease); ok {
		s.view.set(lease)
		s.seen(lease, false)
	}
	return nil
}

// Delete takes in that a Lease was deleted.
func (s store) Delete(obj any) error {
	if lease, ok := obj.(*coordinationv1.Lease); ok {
		s.view.delete(lease)
		s.seen(lease, true)
	}
	return nil
}

// Replace takes in all Leases. The slots come before the memberships, so that a renewal is seen last.
func (s store) Replace(list []any, _ string) error {
	leases := make([]*coordinationv1.Lease, 0, len(list))
	for _, obj := range list {
		if lease, ok := obj.(*coordinationv1.Lease); ok {
			leases = append(leases, lease)
		}
	}
	slices.SortFunc(leases, func(a, b *coordinationv1.Lease) int {
		return strings.Compare(b.Labels[kindLabel], a.Labels[kindLabel]) // slot, root, member
	})
	for _, lease := range s.view.missing(leases) {
		_ = s.Delete(lease)
	}
	for _, lease := range leases {
		_ = s.Update(lease)
	}
	s.view.fill()
	return nil
}

// Resync does nothing.
func (s store) Resync() error { return nil }
