// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

func TestC9AnItemEndsAtItsDeadlineWithAReserveForItsStatus(t *testing.T) {
	bubble(t, func(t *testing.T) {
		type userKey struct{}
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{})
		var calls atomic.Int32
		c := controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			if calls.Add(1) > 1 {
				return controller.Result{}, nil
			}
			began := time.Now()
			ctx = context.WithValue(ctx, userKey{}, "user")
			<-ctx.Done()
			why := context.Cause(ctx)
			if time.Since(began) != 50*time.Second || !errors.Is(why, cause.ItemTimeout) || !errors.Is(why, context.DeadlineExceeded) {
				t.Errorf("the context ended with %v after %v", why, time.Since(began))
			}
			reserve, cancel := controller.ReserveContext(ctx)
			defer cancel()
			if reserve.Err() != nil || reserve.Value(userKey{}) != "user" {
				t.Errorf("the reserve is %v, with the value %v", reserve.Err(), reserve.Value(userKey{}))
			}
			<-reserve.Done()
			if time.Since(began) != time.Minute || !errors.Is(context.Cause(reserve), cause.ItemTimeout) {
				t.Errorf("the reserve ended with %v after %v", context.Cause(reserve), time.Since(began))
			}
			return controller.Result{}, why
		}, controller.Options{Timeout: time.Minute, Reserve: 10 * time.Second})
		r := start(t, t.Context(), m)
		time.Sleep(2 * time.Minute)
		if stats := c.Stats(); stats.TimedOut != 1 || stats.Done != 1 || stats.Failures() != 1 || len(stats.Cancelled) != 0 {
			t.Errorf("counted %+v", stats)
		}
		if !strings.Contains(r.log.String(), "level=ERROR msg=\"Reconcile used up its time") {
			t.Errorf("logged:\n%s", r.log)
		}
	})
}

func TestC9TheReserveEndsWithTheManager(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{})
		var why atomic.Value
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			<-ctx.Done()
			reserve, cancel := controller.ReserveContext(ctx)
			defer cancel()
			<-reserve.Done()
			why.Store(context.Cause(reserve))
			return controller.Result{}, ctx.Err()
		}, controller.Options{Timeout: time.Hour, Reserve: 30 * time.Minute})
		r := start(t, t.Context(), m)
		time.Sleep(31 * time.Minute)
		end := time.Now()
		if err := r.end(nil); err != nil || time.Since(end) != 0 {
			t.Errorf("Run returned %v after %v", err, time.Since(end))
		}
		if err, _ := why.Load().(error); !errors.Is(err, cause.Shutdown) {
			t.Errorf("the reserve ended with %v", err)
		}
	})
}

func TestC9AnItemHasADeadlineByDefault(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{})
		var left atomic.Int64
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			deadline, _ := ctx.Deadline()
			left.Store(int64(time.Until(deadline)))
			return controller.Result{}, nil
		}, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		if got := time.Duration(left.Load()); got != 5*time.Minute-5*time.Second {
			t.Errorf("it had %v", got)
		}
	})
}

func TestC9ACallIsLimitedByItsClassAndNeverOutlastsTheItem(t *testing.T) {
	get := func(ctx context.Context, client kubernetes.Interface) error {
		_, err := client.CoreV1().ConfigMaps("default").Get(ctx, "x", metav1.GetOptions{})
		return err
	}
	remove := func(ctx context.Context, client kubernetes.Interface) error {
		return client.CoreV1().ConfigMaps("default").Delete(ctx, "x", metav1.DeleteOptions{})
	}
	external := func(ctx context.Context, _ kubernetes.Interface) error {
		ctx, cancel := controller.ExternalContext(ctx)
		defer cancel()
		<-ctx.Done()
		return context.Cause(ctx)
	}
	watch := func(ctx context.Context, client kubernetes.Interface) error {
		_, err := client.CoreV1().ConfigMaps("default").Watch(ctx, metav1.ListOptions{})
		return err
	}
	limits := controller.CallTimeouts{Read: 3 * time.Second, Write: 7 * time.Second, External: 11 * time.Second}
	for name, test := range map[string]struct {
		limits controller.CallTimeouts
		call   func(context.Context, kubernetes.Interface) error
		want   time.Duration
		why    error
	}{
		"read":                {limits, get, 3 * time.Second, cause.CallTimeout},
		"write":               {limits, remove, 7 * time.Second, cause.CallTimeout},
		"external":            {limits, external, 11 * time.Second, cause.CallTimeout},
		"read by default":     {controller.CallTimeouts{}, get, 30 * time.Second, cause.CallTimeout},
		"write by default":    {controller.CallTimeouts{}, remove, 30 * time.Second, cause.CallTimeout},
		"external by default": {controller.CallTimeouts{}, external, time.Minute, cause.CallTimeout},
		"read without limit":  {controller.CallTimeouts{Read: -1}, get, 85 * time.Second, cause.ItemTimeout},
		"a watch is not limited, but for the item": {limits, watch, 85 * time.Second, cause.ItemTimeout},
	} {
		t.Run(name, func(t *testing.T) { limitedCall(t, test.limits, test.call, test.want, test.why) })
	}
}

// limitedCall makes a call that is never answered, in a reconcile that has 85 seconds, and sees when and why it ends.
func limitedCall(
	t *testing.T, limits controller.CallTimeouts, call func(context.Context, kubernetes.Interface) error, want time.Duration, why error,
) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := managerOf(&rest.Config{Host: "http://unused.invalid", Transport: untilCancelled{}}, controller.ManagerOptions{CallTimeouts: limits})
		client := kubernetes.NewForConfigOrDie(m.Config())
		var once atomic.Bool
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			if once.Swap(true) {
				return controller.Result{}, nil
			}
			began := time.Now()
			err := call(ctx, client)
			if time.Since(began) != want || !errors.Is(err, why) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the call ended with %v (%T) after %v", err, err, time.Since(began))
			}
			if errors.Is(why, cause.CallTimeout) && ctx.Err() != nil {
				t.Errorf("the item ended with the call: %v", context.Cause(ctx))
			}
			return controller.Result{}, nil
		}, controller.Options{Timeout: 90 * time.Second, Reserve: 5 * time.Second})
		start(t, t.Context(), m)
		time.Sleep(3 * time.Minute)
		if !once.Load() {
			t.Error("not reconciled")
		}
	})
}

func TestTimesThatLeaveNothingAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		m := newManager(controller.ManagerOptions{DrainTimeout: 30 * time.Second, ShutdownTimeout: 10 * time.Second})
		controller.New(m, "drain", w.informer(), nothing, controller.Options{})
		controller.New(m, "reserve", w.informer(), nothing, controller.Options{Timeout: time.Second, Reserve: 2 * time.Second, DrainTimeout: -1})
		err := m.Run(t.Context())
		for _, want := range []string{`controller "drain"`, "raise ManagerOptions.ShutdownTimeout", `controller "reserve"`, "nothing is left"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not have %q: %v", want, err)
			}
		}
	})
}
