// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

func TestC4AfterTheEndNoQueuedItemIsStarted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 10_000 {
			w.add(fmt.Sprintf("cm-%d", i))
		}
		m := newManager(controller.ManagerOptions{})
		var started atomic.Int32
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			started.Add(1)
			<-ctx.Done()
			return controller.Result{}, ctx.Err()
		}, controller.Options{Workers: 3})
		r := start(t, t.Context(), m)
		synctest.Wait()
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		if got := started.Load(); got != 3 {
			t.Errorf("%d items were started, want only the 3 that the workers had", got)
		}
		if report := m.Report(); len(report.Cancelled) != 3 || report.Queued["c"] != 9_997 {
			t.Errorf("the report counts %d cancelled and %d queued", len(report.Cancelled), report.Queued["c"])
		}
	})
}

func TestC4NoTimerBringsAnItemBackAfterTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("later", "failing")
		m := newManager(controller.ManagerOptions{})
		var reconciles atomic.Int32
		controller.New(m, "c", w.informer(), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			reconciles.Add(1)
			if cm.Name == "failing" {
				return controller.Result{}, errors.New("again, please")
			}
			return controller.Result{RequeueAfter: time.Second}, nil
		}, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		time.Sleep(1500 * time.Millisecond)
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		before := reconciles.Load()
		time.Sleep(time.Hour)
		if after := reconciles.Load(); before < 4 || after != before {
			t.Errorf("%d reconciles before the end, %d after", before, after)
		}
	})
}

func TestC5AnItemThatEndsWithItsContextIsCountedByCauseAndIsNoFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a", "b")
		m := newManager(controller.ManagerOptions{})
		c := controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			<-ctx.Done()
			klog.FromContext(ctx).Error(context.Cause(ctx), "Written by the user, or by client-go")
			return controller.Result{}, fmt.Errorf("wrapped by the user: %w", ctx.Err())
		}, controller.Options{Workers: 2})
		r := start(t, t.Context(), m)
		synctest.Wait()
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		stats := c.Stats()
		if stats.Failures() != 0 || stats.Cancelled[cause.Shutdown.Name()] != 2 {
			t.Errorf("counted %+v", stats)
		}
		if strings.Contains(r.log.String(), "level=ERROR") {
			t.Errorf("an error was logged:\n%s", r.log)
		}
	})
}

func TestC6C7RunReturnsOnceEverythingHasAndTheReportTellsWhatWasCutShort(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := managerOf(&rest.Config{Host: "http://unused.invalid", Transport: apiServer(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})}, controller.ManagerOptions{})
		client := kubernetes.NewForConfigOrDie(m.Config())
		var returned atomic.Int32
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			defer returned.Add(1)
			_, err := client.AppsV1().Deployments("prod").Patch(ctx, "web", types.MergePatchType, []byte("{}"), metav1.PatchOptions{}, "status")
			time.Sleep(time.Second)
			return controller.Result{}, err
		}, controller.Options{})
		m.AddRunnable("slow", func(ctx context.Context) error {
			defer returned.Add(1)
			<-ctx.Done()
			time.Sleep(5 * time.Second)
			return nil
		})
		r := start(t, t.Context(), m)
		synctest.Wait()
		time.Sleep(2 * time.Second)
		end := time.Now()
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		report := m.Report()
		if returned.Load() != 2 || time.Since(end) != 5*time.Second || report.Took != 5*time.Second {
			t.Errorf("%d of 2 had returned when Run did, %v after the end (report: %v)", returned.Load(), time.Since(end), report.Took)
		}
		if len(report.Cancelled) != 1 || len(report.Cancelled[0].Calls) != 1 || len(report.Stragglers) != 0 {
			t.Fatalf("the report is %+v", report)
		}
		const want = "item c default/a, running for 3s, in patch deployments.apps/status prod/web for 3s"
		if got := report.Cancelled[0].String(); got != want {
			t.Errorf("the report says %q, want %q", got, want)
		}
		if !errors.Is(report.Cause, cause.Shutdown) {
			t.Errorf("the report's cause is %v", report.Cause)
		}
	})
}

func TestC7StragglersAreNamedWithTheirItemAgeAndCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		w := newWorld(t)
		w.add("stuck")
		m := managerOf(&rest.Config{Host: "http://unused.invalid", Transport: apiServer(func(req *http.Request) (*http.Response, error) {
			<-release // a transport that ignores the context, as exec credential plugins do
			return nil, errors.New("too late")
		})}, controller.ManagerOptions{ShutdownTimeout: 4 * time.Second})
		client := kubernetes.NewForConfigOrDie(m.Config())
		controller.New(m, "deaf", w.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			return controller.Result{}, client.CoreV1().ConfigMaps(cm.Namespace).Delete(ctx, cm.Name, metav1.DeleteOptions{})
		}, controller.Options{})
		m.AddRunnable("mule", func(context.Context) error { <-release; return nil })
		m.AddRunnable("good", func(ctx context.Context) error { <-ctx.Done(); return nil })
		r := start(t, t.Context(), m)
		synctest.Wait()
		time.Sleep(time.Second)
		end := time.Now()
		err := r.end(nil)
		var shutdown *controller.ShutdownError
		if !errors.As(err, &shutdown) || !errors.Is(err, cause.Shutdown) || time.Since(end) != 4*time.Second {
			t.Fatalf("Run returned %v (%T) after %v", err, err, time.Since(end))
		}
		for _, want := range []string{
			"item deaf default/stuck, running for 5s, in delete configmaps default/stuck for 5s",
			"runnable mule, running for 5s",
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error %q does not name %q", err, want)
			}
		}
		if len(shutdown.Report.Stragglers) != 2 {
			t.Errorf("stragglers: %v", shutdown.Report.Stragglers)
		}
		close(release)
	})
}

func TestARootThatHasEndedStartsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := newWorld(t)
		w.onList = func(context.Context) error { t.Error("listed"); return nil }
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), nothing, controller.Options{})
		m.AddRunnable("r", func(context.Context) error { t.Error("ran"); return nil })
		if err := m.Run(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestC7ACutCallIsInTheReportAlsoOfAnItemThatReturnedNil(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := managerOf(&rest.Config{Host: "http://unused.invalid", Transport: apiServer(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})}, controller.ManagerOptions{})
		client := kubernetes.NewForConfigOrDie(m.Config())
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			_ = client.CoreV1().ConfigMaps("default").Delete(ctx, "x", metav1.DeleteOptions{}) // as good as unimportant
			return controller.Result{}, nil
		}, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		if report := m.Report(); len(report.Cancelled) != 1 || report.Finished != 0 || !strings.Contains(report.String(), "in delete configmaps default/x") {
			t.Errorf("the report is\n%v", report)
		}
	})
}
