// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// deaf is a manager whose API server never answers, and a client of the manager.
func deaf() (*controller.Manager, kubernetes.Interface) {
	m := controller.NewManager(&rest.Config{Host: "http://unused.invalid", Transport: untilCancelled{}}, controller.ManagerOptions{})
	return m, kubernetes.NewForConfigOrDie(m.Config())
}

// elsewhere returns a context that is not the manager's.
func elsewhere() context.Context { return context.Background() }

// getWith reads an object with a context.
func getWith(ctx context.Context, client kubernetes.Interface) error {
	_, err := client.CoreV1().ConfigMaps("default").Get(ctx, "b", metav1.GetOptions{})
	return err
}

// toldOrphans returns the lines about calls with contexts from elsewhere.
func toldOrphans(r *running) []string {
	var told []string
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, "has a context from elsewhere") {
			told = append(told, line)
		}
	}
	return told
}

// TestC21AnInformerWithAContextFromElsewhereEndsWithTheManager has an informer as code-generator made
// them until 0.33, and a server that never answers its list, or its watch.
func TestC21AnInformerWithAContextFromElsewhereEndsWithTheManager(t *testing.T) {
	for _, never := range []string{"list", "watch"} {
		for _, drain := range []time.Duration{0, time.Minute} {
			t.Run(fmt.Sprintf("%s never answered, drain %v", never, drain), func(t *testing.T) {
				bubble(t, func(t *testing.T) { testStrayInformer(t, never, drain) })
			})
		}
	}
}

// ofOldGenerators lists and watches as generated informers did that have no contexts.
//
//nolint:staticcheck // the fields without contexts are what the test is about
func ofOldGenerators(maps corev1client.ConfigMapInterface) *cache.ListWatch {
	return &cache.ListWatch{
		ListFunc:  func(options metav1.ListOptions) (runtime.Object, error) { return maps.List(elsewhere(), options) }, //ctxvet:ok ctxsibling: as old generators wrote it
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) { return maps.Watch(elsewhere(), options) },
	}
}

func testStrayInformer(t *testing.T, never string, drain time.Duration) {
	m := controller.NewManager(&rest.Config{Transport: apiServer(func(req *http.Request) (*http.Response, error) {
		if (req.URL.Query().Get("watch") == "true") != (never == "watch") {
			return &http.Response{
				StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
				Body: io.NopCloser(strings.NewReader(`{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1"}}`)),
			}, nil
		}
		return untilCancelled{}.RoundTrip(req)
	})}, controller.ManagerOptions{DrainTimeout: drain, ShutdownTimeout: time.Hour, SyncTimeout: time.Hour})
	maps := kubernetes.NewForConfigOrDie(m.Config()).CoreV1().ConfigMaps("")
	lw := ofOldGenerators(maps)
	shared := cache.NewSharedIndexInformer(noWatchList{lw}, &corev1.ConfigMap{}, 0, nil)
	controller.New(m, "c", controller.Standalone[*corev1.ConfigMap](shared, controller.InformerOptions{}), nothing, controller.Options{})
	r := start(t, t.Context(), m)
	time.Sleep(2 * time.Second)
	end := time.Now()
	if err := r.end(nil); err != nil || time.Since(end) > 0 {
		t.Errorf("Run returned %v after %v", err, time.Since(end))
	}
	told := strings.Join(toldOrphans(r), "")
	if strings.Count(told, fmt.Sprintf("call=%q", never+" configmaps")) != 1 || !strings.Contains(told, "orphan_test.go:") {
		t.Errorf("told of %s", told)
	}
}

func TestC21ACallWithAContextFromElsewhereEndsWithTheManagerAndIsToldOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a", "b")
		why := errors.New("enough")
		m, client := deaf()
		errs := make(chan error, 2)
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			err := getWith(elsewhere(), client)
			errs <- err
			return controller.Result{}, err
		}, controller.Options{Workers: 2})
		r := start(t, t.Context(), m)
		synctest.Wait()
		if err := r.end(why); err != nil {
			t.Errorf("Run returned %v", err)
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, cause.Shutdown) || !errors.Is(err, why) || !errors.Is(err, context.Canceled) {
				t.Errorf("a call ended with %v", err)
			}
		}
		if told := toldOrphans(r); len(told) != 1 {
			t.Errorf("told of %d calls: %v", len(told), told)
		}
		if err := getWith(t.Context(), client); !errors.Is(err, cause.Shutdown) {
			t.Errorf("a call after the end returned %v", err)
		}
	})
}

// TestC21ACallWithAContextFromElsewhereMayBePartOfADrain has two items in flight at the end: the call of
// one is answered in time, and that of the other is not.
func TestC21ACallWithAContextFromElsewhereMayBePartOfADrain(t *testing.T) {
	for name, late := range map[string]bool{"of a controller": false, "of a late controller": true} {
		t.Run(name, func(t *testing.T) { testOrphansOfADrain(t, late) })
	}
}

func testOrphansOfADrain(t *testing.T, late bool) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a", "b")
		m := controller.NewManager(&rest.Config{Transport: apiServer(func(req *http.Request) (*http.Response, error) {
			select {
			case <-time.After(map[bool]time.Duration{true: 5 * time.Second, false: time.Hour}[strings.HasSuffix(req.URL.Path, "/a")]):
				return nil, errAnswered
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
		})}, controller.ManagerOptions{})
		client := kubernetes.NewForConfigOrDie(m.Config())
		answered, cut := make(chan error, 1), make(chan error, 1)
		var r *running
		if late {
			r = start(t, t.Context(), m)
			synctest.Wait()
		}
		controller.New(m, "c", w.informer(), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			_, err := client.CoreV1().ConfigMaps("default").Get(elsewhere(), cm.Name, metav1.GetOptions{})
			map[string]chan error{"a": answered, "b": cut}[cm.Name] <- err
			return controller.Result{}, nil
		}, controller.Options{Workers: 2, DrainTimeout: 10 * time.Second})
		if !late {
			r = start(t, t.Context(), m)
		}
		time.Sleep(time.Second)
		end := time.Now()
		if err := r.end(nil); err != nil || time.Since(end) != 10*time.Second {
			t.Errorf("Run returned %v after %v", err, time.Since(end))
		}
		if err := <-answered; !errors.Is(err, errAnswered) {
			t.Errorf("the call that takes five seconds returned %v", err)
		}
		if err := <-cut; !errors.Is(err, cause.DrainExpired) {
			t.Errorf("the call that takes an hour returned %v", err)
		}
	})
}

var errAnswered = errors.New("the server has answered")

// TestACallBeforeRunIsNoOrphan makes a call in the set-up, which is not told of.
func TestACallBeforeRunIsNoOrphan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := controller.NewManager(&rest.Config{Transport: apiServer(func(*http.Request) (*http.Response, error) { return nil, errAnswered })},
			controller.ManagerOptions{})
		client := kubernetes.NewForConfigOrDie(m.Config())
		if err := getWith(t.Context(), client); !errors.Is(err, errAnswered) {
			t.Errorf("it returned %v", err)
		}
		var called atomic.Bool
		m.AddRunnable("r", func(ctx context.Context) error {
			called.Store(true)
			_ = getWith(ctx, client)
			return nil
		})
		r := start(t, t.Context(), m)
		synctest.Wait()
		if told := toldOrphans(r); len(told) > 0 || !called.Load() {
			t.Errorf("told of %v", told)
		}
	})
}
