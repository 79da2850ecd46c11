// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// runs records each reconcile: what it was of, and how it ended.
type runs struct {
	mu   sync.Mutex
	list []string
}

func (r *runs) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, fmt.Sprintf(format, args...))
}

func (r *runs) get() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

// slow takes ten seconds for an object.
func (r *runs) slow(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
	select {
	case <-time.After(10 * time.Second):
		r.add("%s/%d done", cm.Name, cm.Generation)
		return controller.Result{}, nil
	case <-ctx.Done():
		r.add("%s/%d %s", cm.Name, cm.Generation, cause.Name(ctx))
		if !errors.Is(context.Cause(ctx), context.Canceled) {
			r.add("%v is no cancellation", context.Cause(ctx))
		}
		return controller.Result{}, ctx.Err()
	}
}

func generation(name string, n int64) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: "1", Generation: n}}
}

func TestC10ANewGenerationSupersedesARunningReconcileWhichIsTakenAgainAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, r := newWorld(t), &runs{}
		w.Add(generation("a", 1))
		m := newManager(controller.ManagerOptions{})
		c := controller.New(m, "c", w.informer(), r.slow, controller.Options{SupersedeLimit: 3})
		run := start(t, t.Context(), m)
		synctest.Wait()
		for i := range 5 { // these wait: the superseded one goes before them
			w.Add(generation(fmt.Sprintf("other-%d", i), 1))
		}
		time.Sleep(4 * time.Second)
		w.Modify(generation("a", 2))
		time.Sleep(10*time.Second + time.Millisecond)
		if got, want := r.get(), []string{"a/1 superseded", "a/2 done"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if stats := c.Stats(); stats.Cancelled["superseded"] != 1 || stats.Failures() != 0 {
			t.Errorf("counted %+v", stats)
		}
		if err := run.end(nil); err != nil {
			t.Error(err)
		}
		if report := m.Report(); len(report.Cancelled) != 1 {
			t.Errorf("a superseded item is in the report:\n%v", report)
		}
	})
}

func TestC10DeletionSupersedes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, r := newWorld(t), &runs{}
		w.Add(generation("gone", 1))
		w.Add(generation("going", 1))
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), r.slow, controller.Options{SupersedeLimit: 3, Workers: 2,
			OnDeleted: func(_ context.Context, name controller.Request) (controller.Result, error) {
				r.add("%s deleted", name.Name)
				return controller.Result{}, nil
			}})
		start(t, t.Context(), m)
		synctest.Wait()
		w.Delete(generation("gone", 1))
		synctest.Wait()
		going := generation("going", 2)
		going.DeletionTimestamp, going.Finalizers = &metav1.Time{Time: time.Now()}, []string{"x/y"}
		w.Modify(going)
		synctest.Wait()
		if got, want := r.get(), []string{"gone/1 object_deleted", "gone deleted", "going/1 object_deleted"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestC10AChangeOfStatusOrMetadataDoesNotSupersede(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, r := newWorld(t), &runs{}
		w.Add(generation("a", 1))
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), r.slow, controller.Options{SupersedeLimit: 3})
		start(t, t.Context(), m)
		synctest.Wait()
		status := generation("a", 1)
		status.Labels = map[string]string{"only": "metadata"}
		w.Modify(status)
		time.Sleep(10*time.Second + time.Millisecond)
		if got, want := r.get(), []string{"a/1 done"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestC10IsOffUnlessAskedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, r := newWorld(t), &runs{}
		w.Add(generation("a", 1))
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), r.slow, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		w.Modify(generation("a", 2))
		time.Sleep(20*time.Second + time.Millisecond)
		if got, want := r.get(), []string{"a/1 done", "a/2 done"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestC10AStormOfEditsStarvesNothing edits an object every second, for as long as a reconcile of it
// would take 300 times over: it still gets to its end again and again, with no more than the limit
// in a row.
func TestC10AStormOfEditsStarvesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, r := newWorld(t), &runs{}
		w.Add(generation("a", 1))
		w.Add(generation("calm", 1))
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), r.slow, controller.Options{SupersedeLimit: 4, Workers: 2})
		start(t, t.Context(), m)
		for i := range int64(3000) {
			time.Sleep(time.Second)
			w.Modify(generation("a", i+2))
		}
		time.Sleep(time.Minute)
		row, done, calm := 0, 0, 0
		got := r.get()
		for _, run := range got {
			var name, how string
			var gen int64
			if _, err := fmt.Sscanf(run, "%4s/%d %s", &name, &gen, &how); err != nil {
				_, err = fmt.Sscanf(run, "a/%d %s", &gen, &how)
				name = "a"
				if err != nil {
					t.Fatal(run, err)
				}
			}
			switch {
			case name == "calm":
				calm++
			case how == "done":
				row, done = 0, done+1
			default:
				row++
			}
			if row > 4 {
				t.Fatal("superseded more than 4 times in a row")
			}
		}
		// Four are superseded after a second each, the fifth takes its ten.
		if done < 3000/14-2 || calm != 1 || got[len(got)-1] != "a/3001 done" {
			t.Errorf("%d reconciles came to their end, calm %d, the last is %q", done, calm, got[len(got)-1])
		}
	})
}
