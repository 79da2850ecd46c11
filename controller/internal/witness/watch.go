// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/group"
)

// watch is the watch of one pod.
type watch struct {
	of      pod
	cancel  context.CancelFunc
	running group.Group

	mu        sync.Mutex
	joined    int // how many have ever followed
	followers map[int]func()
	last      *corev1.Pod // as last seen; nil before
	gone      bool        // it was seen, and is no more
}

func newWatch(of pod) *watch { return &watch{of: of, followers: map[int]func(){}} }

// begin watches in the background. forbidden is called when a permission is missing.
func (w *watch) begin(ctx context.Context, pods corev1client.PodsGetter, forbidden func()) {
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	logger := klog.FromContext(ctx)
	informer := cache.NewSharedIndexInformer(
		listWatch(pods, w.of), &corev1.Pod{}, 0, cache.Indexers{})
	// Neither fails for an informer that does not run yet.
	_ = informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, _ *cache.Reflector, err error) {
		if ctx.Err() == nil && apierrors.IsForbidden(err) {
			forbidden()
		}
	})
	_, _ = informer.AddEventHandlerWithOptions(cache.ResourceEventHandlerFuncs{
		AddFunc:    w.seen,
		UpdateFunc: func(_, obj any) { w.seen(obj) },
		DeleteFunc: w.deleted,
	}, cache.HandlerOptions{Logger: &logger})
	w.running.Go(func() { informer.RunWithContext(ctx) })
}

// end ends the watch and waits until nothing of it is left.
func (w *watch) end(unlimited context.Context) {
	w.cancel()
	_ = w.running.Wait(unlimited)
}

// listWatch lists and watches the pod of this name.
func listWatch(client corev1client.PodsGetter, of pod) cache.ListerWatcher {
	pods := client.Pods(of.namespace)
	selector := fields.OneTermEqualSelector(metav1.ObjectNameField, of.name).String()
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = selector
			return pods.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (apiwatch.Interface, error) {
			options.FieldSelector = selector
			return pods.Watch(ctx, options)
		},
	}, client)
}

// join returns by what number leave knows the follower.
func (w *watch) join(changed func()) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.joined++
	w.followers[w.joined] = changed
	return w.joined
}

// leave reports whether the follower was the last one.
func (w *watch) leave(follower int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, followed := w.followers[follower]
	delete(w.followers, follower)
	return followed && len(w.followers) == 0
}

// known returns the pod as last seen, nil if it never was, and whether it is no more.
func (w *watch) known() (last *corev1.Pod, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.gone
}

// seen handles a pod of the name. If it has another UID, the pod that is followed is no more; but if that
// one was never seen, nothing is known: it may have been in another namespace.
func (w *watch) seen(obj any) {
	found, ok := obj.(*corev1.Pod)
	switch {
	case !ok:
		return
	case found.UID == w.of.uid:
		w.keep(found, false)
	default:
		w.keep(nil, true)
	}
}

// deleted handles the deletion of a pod of the name.
func (w *watch) deleted(obj any) {
	if unseen, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = unseen.Obj // as it was last seen
	}
	if found, ok := obj.(*corev1.Pod); ok && found.UID == w.of.uid {
		w.keep(found, true)
	}
}

// keep keeps what is known, and tells the followers. last may be nil: it is then as before.
func (w *watch) keep(last *corev1.Pod, gone bool) {
	for _, changed := range w.set(last, gone) {
		changed()
	}
}

func (w *watch) set(last *corev1.Pod, gone bool) (followers []func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last != nil {
		w.last = last
	}
	w.gone = gone
	for _, changed := range w.followers {
		followers = append(followers, changed)
	}
	return followers
}
