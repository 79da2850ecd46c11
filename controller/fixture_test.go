// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	fcache "k8s.io/client-go/tools/cache/testing"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
)

func TestMain(m *testing.M) {
	// The runtime begins its own goroutines for signals when somebody asks for the first one. That must not be a test
	// in a bubble.
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	signal.Stop(asked)
	goleak.VerifyTestMain(m)
}

// world is an API server's worth of ConfigMaps in memory, for tests in virtual time, where there
// are no sockets. What depends on a real API server is tested in the module test.
type world struct {
	*fcache.FakeControllerSource
	// onList sees the context of each list and watch; an error fails it.
	onList func(context.Context) error
	// onWatch sees the context of each watch; an error fails it.
	onWatch func(context.Context) error
}

func newWorld(t *testing.T) *world {
	w := &world{FakeControllerSource: fcache.NewFakeControllerSource()}
	t.Cleanup(func() { w.Broadcaster.Shutdown() }) // w.Shutdown would keep the lock, for which a late list waits for ever
	return w
}

func (w *world) add(names ...string) {
	for _, name := range names {
		w.Add(configMap(name))
	}
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
}

func (w *world) see(ctx context.Context) error {
	if w.onList != nil {
		return w.onList(ctx)
	}
	return nil
}

func (w *world) informer() cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
	return w.informerWith(controller.InformerOptions{})
}

func (w *world) informerWith(options controller.InformerOptions) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
	return controller.Standalone[*corev1.ConfigMap](w.shared(0), options)
}

// informerEvery is an informer that resyncs.
func (w *world) informerEvery(period time.Duration) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
	return controller.Standalone[*corev1.ConfigMap](w.shared(period), controller.InformerOptions{})
}

func (w *world) shared(resync time.Duration) cache.SharedIndexInformer {
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			if err := w.see(ctx); err != nil {
				return nil, err
			}
			return w.List(options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			if err := w.see(ctx); err != nil {
				return nil, err
			}
			if w.onWatch != nil {
				if err := w.onWatch(ctx); err != nil {
					return nil, err
				}
			}
			return w.Watch(options)
		},
	}
	return cache.NewSharedIndexInformer(noWatchList{lw}, &corev1.ConfigMap{}, resync, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
}

// noWatchList tells client-go that this source cannot stream its initial list.
type noWatchList struct{ *cache.ListWatch }

func (noWatchList) IsWatchListSemanticsUnSupported() bool { return true }

// running is a manager whose Run is under way.
type running struct {
	*controller.Manager
	stop context.CancelCauseFunc
	log  *logBuffer
	done chan struct{}
	err  error
}

// start runs a manager until the test or stop ends it.
func start(t *testing.T, parent context.Context, m *controller.Manager) *running {
	t.Helper()
	r := &running{Manager: m, log: &logBuffer{}, done: make(chan struct{})}
	ctx := klog.NewContext(parent, logr.FromSlogHandler(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.Level(-10)})))
	ctx, r.stop = context.WithCancelCause(ctx)
	go func() {
		defer close(r.done)
		r.err = m.Run(ctx)
	}()
	t.Cleanup(func() {
		r.stop(nil)
		<-r.done
	})
	return r
}

// end ends the manager and returns Run's error.
func (r *running) end(cause error) error {
	r.stop(cause)
	<-r.done
	return r.err
}

type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

// configMapType is the kind that most tests reconcile.
type configMapType = corev1.ConfigMap

// unused is the configuration of an API server that no test in virtual time calls.
func unused() *rest.Config { return &rest.Config{Host: "http://unused.invalid"} }

func newManager(options controller.ManagerOptions) *controller.Manager {
	return managerOf(unused(), options)
}

// managerOf makes a manager with what inTest has set for its election.
func managerOf(config *rest.Config, options controller.ManagerOptions) *controller.Manager {
	if replaced, ok := elections.Load(options.LeaderElection); ok {
		election := replaced.(*electionInTest)
		return controller.NewManagerWith(config, options, election.leases, election.clock)
	}
	return controller.NewManager(config, options)
}

// elections has what stands in for the API server and the clock, by the *controller.LeaderElection.
var elections sync.Map

type electionInTest struct {
	leases coordinationv1client.LeasesGetter
	clock  func() time.Duration
}

// inTest replaces the client and the clock of the managers made by newManager with these options. A
// nil client leaves the real one.
func inTest(o *controller.LeaderElection, leases coordinationv1client.LeasesGetter, clock func() time.Duration) {
	elections.Store(o, &electionInTest{leases: leases, clock: clock})
}

func nothing(context.Context, *corev1.ConfigMap) (controller.Result, error) {
	return controller.Result{}, nil
}
