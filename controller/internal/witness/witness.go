// SPDX-License-Identifier: Apache-2.0

// Package witness watches pods, to say which of their processes have ended. It goes by what the kubelet
// reports of containers.
package witness

import (
	"context"
	"sync"
	"time"

	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/klog/v2"
)

// Witness watches the pods that somebody follows, each once, however many do. All methods may be called
// from several goroutines at once.
type Witness struct {
	pods   corev1client.PodsGetter
	fenced bool

	mu      sync.Mutex
	watches map[pod]*watch
	told    bool // that a permission is missing
}

// New returns a witness, which watches nothing yet. fenced says that the API server refuses the writes of
// a pod that does not hold the Lease: only then a pod that was deleted is taken for ended, because its
// processes may run on, on a machine that the API server cannot reach.
func New(pods corev1client.PodsGetter, fenced bool) *Witness {
	return &Witness{pods: pods, fenced: fenced, watches: map[pod]*watch{}}
}

// Follow watches the container's pod until stop is called. changed is called, from another goroutine, when
// something else is known of the pod. It must not call stop. The watch goes on after the end of ctx.
// stop returns when nothing of the watch is left, unless others follow the pod. It may be called more
// than once.
func (w *Witness) Follow(ctx context.Context, c Container, changed func()) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := podOf(c)
	watching := w.watches[of]
	if watching == nil {
		watching = newWatch(of)
		w.watches[of] = watching
		watching.begin(ctx, w.pods, func() { w.tellForbidden(ctx) })
	}
	id := watching.join(changed)
	unlimited := context.WithoutCancel(ctx)
	return func() {
		if w.leave(watching, id) {
			watching.end(unlimited)
		}
	}
}

// leave reports whether nobody is left who follows the pod.
func (w *Witness) leave(watching *watch, follower int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !watching.leave(follower) {
		return false
	}
	if w.watches[watching.of] == watching {
		delete(w.watches, watching.of)
	}
	return true
}

// Ended returns how it is known that a process of the container has ended, "" if it is not known. The
// process is one that acquired a Lease at the first time, and renewed it last at the second, both by the
// clock of its machine, which is the kubelet's too. Something is known only while the pod is followed.
func (w *Witness) Ended(c Container, acquired, renewed time.Time) string {
	w.mu.Lock()
	watching := w.watches[podOf(c)]
	w.mu.Unlock()
	if watching == nil {
		return ""
	}
	last, gone := watching.known()
	if last == nil {
		return ""
	}
	if how := endOf(last, c.Name, acquired, renewed); how != "" {
		return how
	}
	if gone && w.fenced {
		return "its pod was deleted, and the API server refuses what it writes"
	}
	return ""
}

// tellForbidden logs once that pods cannot be watched.
func (w *Witness) tellForbidden(ctx context.Context) {
	w.mu.Lock()
	told := w.told
	w.told = true
	w.mu.Unlock()
	if !told {
		klog.FromContext(ctx).Info("The pod of the lease's holder cannot be watched, so that after a crash " +
			"nobody works until the lease has expired: grant get, list and watch on pods for it to be noticed at once")
	}
}
