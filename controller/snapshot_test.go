// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/snapshot"
)

// only returns the one story of an object.
func only(t *testing.T, m *controller.Manager, name string) *snapshot.Story {
	t.Helper()
	all := m.Stories(controller.Request{Namespace: "default", Name: name})
	if len(all) != 1 {
		t.Fatalf("%d stories of %s, want one", len(all), name)
	}
	return all[0]
}

func TestAStoryHasTheLastReconcilesWithTheirCauses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("one")
		type returned struct {
			result controller.Result
			err    error
		}
		var next atomic.Value
		next.Store(returned{})
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			now := next.Load().(returned)
			return now.result, now.err
		}, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		next.Store(returned{err: errors.New("the password is planted")})
		changed := configMap("one")
		changed.Data = map[string]string{"key": "planted"}
		w.Modify(changed)
		synctest.Wait()
		s := only(t, m, "one")
		if s.Total != 2 || len(s.Reconciles) != 2 || !s.Cached || s.InFlight != nil {
			t.Fatalf("%+v", s)
		}
		if first := s.Reconciles[0]; first.Why.Reason != "start_up" || first.Outcome != "done" || first.Again != nil {
			t.Errorf("the first reconcile: %+v", first)
		}
		second := s.Reconciles[1]
		if by := second.Why.By; by == nil || by.Kind != "ConfigMap" || by.Change != "content" || !by.Self || by.Own {
			t.Errorf("the second reconcile is because of %+v", by)
		}
		if second.Outcome != "retry" || !strings.Contains(second.Error, "*errors.errorString") || second.Again == nil {
			t.Errorf("the second reconcile: %+v", second)
		}
		if s.Waiting == nil || s.Waiting.State != snapshot.ForTime || s.Waiting.Why.Reason != "retry" || !s.Waiting.Until.Equal(*second.Again) {
			t.Errorf("it waits for %+v", s.Waiting)
		}
		next.Store(returned{result: controller.Result{RequeueAfter: time.Hour}})
		time.Sleep(time.Second)
		synctest.Wait()
		s = only(t, m, "one")
		text := s.Text()
		for _, want := range []string{
			"Reconciled 3 times in the last 1s: 1 at the start, 1 by a change of itself, 1 by retry.",
			"It waits until " + time.Now().Add(time.Hour-time.Second+5*time.Millisecond).Format("15:04:05"),
			"because its last reconcile had asked for it.",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the story does not say %q:\n%s", want, text)
			}
		}
		if strings.Contains(text, "planted") {
			t.Errorf("the story has content:\n%s", text)
		}
	})
}

func TestAStoryKeepsTheLastReconcilesOfAnObject(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("one")
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			return controller.Result{RequeueAfter: time.Second}, nil
		}, controller.Options{})
		start(t, t.Context(), m)
		time.Sleep(100*time.Second + time.Millisecond)
		synctest.Wait()
		s := only(t, m, "one")
		if s.Total != 101 || len(s.Reconciles) != 16 || s.Reconciles[15].Began.Sub(s.Reconciles[0].Began) != 15*time.Second {
			t.Errorf("%d of %d, in %v", len(s.Reconciles), s.Total, s.Reconciles[15].Began.Sub(s.Reconciles[0].Began))
		}
		if text := s.Text(); !strings.Contains(text, "Reconciled 101 times since ") {
			t.Error(text)
		}
		if recent := m.Snapshot().Recent; len(recent) != 101 || !recent[0].Began.After(recent[1].Began) {
			t.Errorf("%d recent reconciles", len(recent))
		}
	})
}

func TestASnapshotShowsWhatIsInFlightAndWhatWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 10 {
			w.add(fmt.Sprintf("o%d", i))
		}
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cm.Name == "o9" {
				return controller.Result{}, errors.New("no")
			}
			<-ctx.Done()
			time.Sleep(10 * time.Second) // and does not return at once
			return controller.Result{}, nil
		}, controller.Options{Workers: 3, Timeout: 10 * time.Minute, Reserve: time.Minute})
		m.AddRunnable("sweeper", func(ctx context.Context) error { <-ctx.Done(); return nil })
		if s := m.Snapshot(); s.State != snapshot.SetUp || len(s.Controllers) != 1 || s.Controllers[0].Serving {
			t.Errorf("before Run: %+v", s)
		}
		r := start(t, t.Context(), m)
		time.Sleep(time.Second)
		synctest.Wait()
		c := m.Snapshot().Controllers[0]
		if !c.Serving || len(c.InFlight) != 3 || c.Queue.Ready+c.Queue.Delayed != 7 || len(c.Queue.Waiting) != 7 {
			t.Fatalf("%+v", c)
		}
		if item := c.InFlight[0]; item.Age != 1 || item.Left != 9*60-1 || item.Stuck || item.Attempt != 1 || item.Why.Reason != "start_up" {
			t.Errorf("an item: %+v", item)
		}
		s := m.Snapshot()
		if s.State != snapshot.Running || s.Shutdown.Cancelled != 3 || s.Shutdown.NotStarted != 7 {
			t.Errorf("%v, a shutdown: %+v", s.State, s.Shutdown)
		}
		if i := slices.IndexFunc(s.Runnables, func(w snapshot.Work) bool { return w.Name == "sweeper" }); i < 0 || s.Runnables[i].Age != 1 {
			t.Errorf("what runs beside the items: %+v", s.Runnables)
		}
		if cache := s.Caches[0]; cache.Kind != "ConfigMap" || cache.Objects != 10 || !cache.Synced || cache.Error != "" {
			t.Errorf("a cache: %+v", cache)
		}
		time.Sleep(9*time.Minute - 500*time.Millisecond)
		if items := m.Snapshot().Controllers[0].InFlight; len(items) != 3 || !items[0].Stuck || items[0].Left >= 0 {
			t.Errorf("after its time: %+v", items)
		}
		r.stop(errors.New("the end"))
		synctest.Wait()
		if s := m.Snapshot(); s.State != snapshot.Ending || !strings.Contains(s.Cause, "shutting down") {
			t.Errorf("at the end: %v, %q", s.State, s.Cause)
		}
		<-r.done
		if s := m.Snapshot(); s.State != snapshot.Ended || len(s.Controllers[0].InFlight) != 0 {
			t.Errorf("after the end: %+v", s)
		}
	})
}

func TestASnapshotCountsWhatIsReadyAndWhatIsDelayed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("asks", "asks too")
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if strings.HasPrefix(cm.Name, "asks") {
				return controller.Result{RequeueAfter: time.Hour}, nil
			}
			<-ctx.Done()
			return controller.Result{}, ctx.Err()
		}, controller.Options{Timeout: 24 * time.Hour})
		start(t, t.Context(), m)
		check := func(when string, ready, delayed int) {
			t.Helper()
			synctest.Wait()
			if q := m.Snapshot().Controllers[0].Queue; q.Ready != ready || q.Delayed != delayed || q.Parked != 0 {
				t.Errorf("%s: %+v, want %d ready and %d delayed", when, q, ready, delayed)
			}
		}
		check("after they asked for an hour", 0, 2)
		w.add("holds the worker", "waits", "waits too")
		time.Sleep(30 * time.Minute)
		check("before the hour is over", 2, 2)
		time.Sleep(31 * time.Minute)
		check("when the hour is over", 4, 0)
	})
}

// TestASnapshotHasNoTextsOfErrors plants content where programs and the API server may put it.
func TestASnapshotHasNoTextsOfErrors(t *testing.T) {
	invalid := apierrors.NewInvalid(schema.GroupKind{Group: "apps", Kind: "Deployment"}, "web",
		field.ErrorList{field.Invalid(field.NewPath("spec", "replicas"), "planted", "planted")})
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"the program's":    {fmt.Errorf("parse: %w", errors.New("planted")), "an error of the program, *errors.errorString"},
		"the API server's": {invalid, "the API server answered Invalid (422) for Deployment.apps web because of spec.replicas"},
		"a terminal one":   {controller.TerminalError(errors.New("planted")), "an error of the program"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, texts := range []bool{false, true} {
				bubble(t, func(t *testing.T) {
					w := newWorld(t)
					w.add("one")
					m := newManager(controller.ManagerOptions{ErrorTexts: texts})
					controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
						return controller.Result{}, test.err
					}, controller.Options{})
					start(t, t.Context(), m)
					synctest.Wait()
					encoded, err := json.Marshal([]any{m.Snapshot(), m.Stories(controller.Request{Namespace: "default", Name: "one"})})
					if err != nil {
						t.Fatal(err)
					}
					if got := strings.Contains(string(encoded), "planted"); got != texts {
						t.Errorf("with texts %v: %s", texts, encoded)
					}
					if got := only(t, m, "one").Reconciles[0].Error; !texts && !strings.Contains(got, test.want) {
						t.Errorf("%q, want %q", got, test.want)
					}
				})
			}
		})
	}
}

func TestAStoryOfAnObjectThatNobodyKnowsIsNone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		m := newManager(controller.ManagerOptions{})
		c := controller.New(m, "c", w.informer(), nothing, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		request := controller.Request{Namespace: "default", Name: "one"}
		if all := m.Stories(request); len(all) != 0 {
			t.Errorf("%+v", all)
		}
		w.add("one")
		synctest.Wait()
		w.Delete(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "one"}})
		synctest.Wait()
		if s := only(t, m, "one"); s.Cached || s.Total != 2 || s.Reconciles[1].Why.By.Change != "deleted" {
			t.Errorf("after its deletion: %+v", s)
		}
		c.Stop()
		<-c.Stopped()
		if all := m.Stories(request); len(all) != 0 || len(m.Snapshot().Controllers) != 0 {
			t.Errorf("after the controller's: %+v", all)
		}
	})
}
