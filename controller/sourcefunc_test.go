// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/bubbletest"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// counting makes a controller of a world with the objects a and b that counts reconciles by name.
func counting(t *testing.T, m *controller.Manager) (*controller.Controller[*configMapType], map[string]int) {
	w := newWorld(t)
	w.add("a", "b")
	reconciled := map[string]int{}
	c := controller.New(m, "c", w.informer(), func(_ context.Context, cm *configMapType) (controller.Result, error) {
		reconciled[cm.Name]++
		return controller.Result{}, nil
	}, controller.Options{})
	return c, reconciled
}

func request(name string) controller.Request {
	return controller.Request{Namespace: "default", Name: name}
}

func TestEnqueueReconcilesAnObjectFromAnywhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(controller.ManagerOptions{})
		c, reconciled := counting(t, m)
		c.Enqueue(t.Context(), "test", request("a")) // it does not run yet
		r := start(t, t.Context(), m)
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		c.Enqueue(ended, "test", request("a"), request("none"))
		synctest.Wait()
		if reconciled["a"] != 2 || reconciled["b"] != 1 {
			t.Errorf("reconciled %v", reconciled)
		}
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		c.Enqueue(t.Context(), "test", request("a"))
	})
}

func TestASourceThatIsAFunctionFeedsItsControllerAndEndsWithIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(controller.ManagerOptions{})
		c, reconciled := counting(t, m)
		var ends []string
		source := func(name string) *controller.Source {
			return c.AddSource(name, func(ctx context.Context, enqueue controller.EnqueueFunc) error {
				enqueue(ctx, request("a"))
				<-ctx.Done()
				enqueue(ctx, request("a"))
				ends = append(ends, fmt.Sprint(name, " ", cause.Name(ctx)))
				return ctx.Err()
			})
		}
		r := start(t, t.Context(), m)
		synctest.Wait()
		first := source("first")
		synctest.Wait()
		first.Stop()
		first.Stop()
		synctest.Wait()
		second := source("second")
		synctest.Wait()
		if reconciled["a"] != 4 || reconciled["b"] != 1 || fmt.Sprint(ends) != "[first stopped]" {
			t.Errorf("reconciled %v, ends %q", reconciled, ends)
		}
		if err := r.end(nil); err != nil || fmt.Sprint(ends) != "[first stopped second shutdown]" {
			t.Errorf("Run returned %v, ends %q", err, ends)
		}
		second.Stop()
	})
}

func TestASourceThatFailsOrPanicsEndsTheManagerWithItsName(t *testing.T) {
	for name, fail := range map[string]func() error{
		"no broker":   func() error { return errors.New("no broker") },
		"panic: boom": func() error { panic("boom") },
	} {
		bubble(t, func(t *testing.T) {
			m := newManager(controller.ManagerOptions{})
			c, _ := counting(t, m)
			c.AddSource("queue", func(context.Context, controller.EnqueueFunc) error { return fail() })
			err := m.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), "source queue of controller c") || !strings.Contains(err.Error(), name) {
				t.Errorf("Run returned %v", err)
			}
		})
	}
}

func TestChannelsAndTickersAreSources(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(controller.ManagerOptions{})
		c, reconciled := counting(t, m)
		names := make(chan string)
		c.AddSource("names", controller.FromChannel(names, func(_ context.Context, name string) []controller.Request {
			return []controller.Request{request(name)}
		}))
		c.AddSource("ticker", controller.Every(time.Minute, func(context.Context) []controller.Request {
			return []controller.Request{request("b")}
		}))
		start(t, t.Context(), m)
		synctest.Wait()
		names <- "a"
		names <- "none"
		close(names)
		time.Sleep(2*time.Minute + time.Second)
		synctest.Wait()
		if reconciled["a"] != 2 || reconciled["b"] != 3 {
			t.Errorf("reconciled %v", reconciled)
		}
	})
}

// TestC29AThousandControllersThatComeAndGoLeaveNothing behind: neither goroutines, which the bubble
// counts, nor informers, nor what is known of them.
func TestC29AThousandControllersThatComeAndGoLeaveNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		before := 0
		for i := range 1000 {
			if i == 1 { // what is made once is there
				before = bubbletest.Goroutines()
			}
			c := controller.New(m, fmt.Sprint("kind ", i), w.informer(), nothing, controller.Options{})
			controller.Owns(c, w.informer())
			c.AddSource("never", func(ctx context.Context, _ controller.EnqueueFunc) error {
				<-ctx.Done()
				return nil
			})
			synctest.Wait()
			if c.Stats().Done != 1 {
				t.Fatalf("controller %d has %+v", i, c.Stats())
			}
			c.Stop()
			<-c.Stopped()
		}
		if after := bubbletest.Goroutines(); after > before {
			t.Errorf("%d goroutines, %d before:\n%s", after, before, slices.Collect(maps.Values(work.Stacks())))
		}
		if known := m.Known(); known != 0 {
			t.Errorf("%d controllers, sources or informers are still known", known)
		}
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
	})
}
