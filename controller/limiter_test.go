// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// answering is an API server in which everything is there.
func answering(req *http.Request) (*http.Response, error) {
	resp, err := (&server{}).found(req)
	resp.Header.Set("Content-Type", "application/json")
	return resp, err
}

// TestC7AnItemThatWaitsForTheRateLimiterSaysSo ends a manager while an item waits, and another whose
// wait does not end with its context.
func TestC7AnItemThatWaitsForTheRateLimiterSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("waits", "stuck")
		limiter := deafLimiter{flowcontrol.NewTokenBucketRateLimiter(0.01, 1), make(chan struct{})}
		m := managerOf(&rest.Config{RateLimiter: limiter, Transport: apiServer(answering)}, controller.ManagerOptions{ShutdownTimeout: 5 * time.Second})
		client := kubernetes.NewForConfigOrDie(m.Config())
		controller.New(m, "c", w.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cm.Name == "stuck" {
				ctx = context.WithValue(ctx, deafLimiter{}, true)
			}
			return controller.Result{}, errors.Join(getWith(ctx, client), getWith(ctx, client))
		}, controller.Options{Workers: 2, Timeout: time.Hour})
		r := start(t, t.Context(), m)
		time.Sleep(2 * time.Second)
		err := r.end(nil)
		const waits = "in a call that waits for the client-side rate limiter for "
		if want := "item c default/stuck, running for 7s, " + waits + "7s"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run returned %v, want %s", err, want)
		}
		if report, want := m.Report().String(), "item c default/waits, running for 2s, "+waits+"2s"; !strings.Contains(report, want) {
			t.Errorf("the report is\n%s\nwant %s", report, want)
		}
		close(limiter.free)
		synctest.Wait()
	})
}

// deafLimiter is a rate limiter of a user's. For contexts that have a value of it, it does not wait for
// their end.
type deafLimiter struct {
	flowcontrol.RateLimiter
	free chan struct{}
}

func (l deafLimiter) Wait(ctx context.Context) error {
	if ctx.Value(deafLimiter{}) == nil {
		return l.RateLimiter.Wait(ctx)
	}
	<-l.free
	return ctx.Err()
}

// TestEachConfigurationHasTheRateLimitOfTheManagers makes two calls with two clients each.
func TestEachConfigurationHasTheRateLimitOfTheManagers(t *testing.T) {
	limited := func() rest.Config { return rest.Config{QPS: 1, Burst: 1} }
	shared := rest.Config{RateLimiter: flowcontrol.NewTokenBucketRateLimiter(1, 1)}
	for name, test := range map[string]struct {
		config rest.Config
		other  func(*controller.Manager, *rest.Config) *rest.Config // the second client's configuration
		took   time.Duration
	}{
		"one for each":       {limited(), func(m *controller.Manager, _ *rest.Config) *rest.Config { return m.Config() }, time.Second},
		"of one copy":        {limited(), func(_ *controller.Manager, first *rest.Config) *rest.Config { return first }, 3 * time.Second},
		"the user's limiter": {shared, func(m *controller.Manager, _ *rest.Config) *rest.Config { return m.Config() }, 3 * time.Second},
		"another rate": {limited(), func(m *controller.Manager, _ *rest.Config) *rest.Config {
			config := m.Config()
			config.RateLimiter = m.RateLimiter(100, 0)
			return config
		}, time.Second},
		"client-go's": {limited(), func(m *controller.Manager, _ *rest.Config) *rest.Config {
			config := m.Config()
			config.QPS = 0.5
			config.RateLimiter = nil
			return config
		}, 2 * time.Second},
		"no limit": {rest.Config{}, func(m *controller.Manager, _ *rest.Config) *rest.Config { return m.Config() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				if test.config.RateLimiter != nil {
					test.config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(1, 1) // of the bubble's clock
				}
				test.config.Transport = apiServer(answering)
				m := managerOf(&test.config, controller.ManagerOptions{})
				first := m.Config()
				clients := []kubernetes.Interface{kubernetes.NewForConfigOrDie(first), kubernetes.NewForConfigOrDie(test.other(m, first))}
				began := time.Now()
				done := make(chan error)
				for _, client := range clients {
					go func() { done <- errors.Join(getWith(t.Context(), client), getWith(t.Context(), client)) }()
				}
				if err := errors.Join(<-done, <-done); err != nil || time.Since(began) != test.took {
					t.Errorf("it took %v, want %v; %v", time.Since(began), test.took, err)
				}
			})
		})
	}
}

// TestAWaitForARateLimiterOfTheManagerEndsWithItsCauseAndIsMeasured has a context of the manager, and one
// from elsewhere.
func TestAWaitForARateLimiterOfTheManagerEndsWithItsCauseAndIsMeasured(t *testing.T) {
	bubble(t, func(t *testing.T) {
		why, reader := errors.New("enough"), sdkmetric.NewManualReader()
		options := controller.ManagerOptions{Telemetry: controller.Telemetry{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))}}
		m := managerOf(&rest.Config{Transport: apiServer(answering)}, options)
		config := m.Config()
		config.RateLimiter = m.RateLimiter(0.01, 1)
		client := kubernetes.NewForConfigOrDie(config)
		errs := make(chan error, 2)
		m.AddRunnable("r", func(ctx context.Context) error {
			_ = getWith(ctx, client)
			go func() { errs <- getWith(elsewhere(), client) }()
			errs <- getWith(ctx, client)
			return nil
		})
		r := start(t, t.Context(), m)
		time.Sleep(time.Second)
		synctest.Wait()
		if err := r.end(why); err != nil {
			t.Errorf("Run returned %v", err)
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, cause.Shutdown) || !errors.Is(err, why) || !errors.Is(err, context.Canceled) {
				t.Errorf("a wait ended with %v", err)
			}
		}
		if got := heldBack(t, reader); got != "rate_limiter 2 in 2s" {
			t.Errorf("measured is %q", got)
		}
	})
}
