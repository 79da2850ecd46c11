// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

func TestC23AControllerWhoseCachesDoNotFillFailsWithTheReason(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", errors.New("no rule lets you"))
	for name, test := range map[string]struct {
		list func(context.Context) error
		want []string
	}{
		"forbidden": {
			list: func(context.Context) error { return forbidden },
			want: []string{`controller "c" was not started`, "within 1m30s", "informer of ConfigMap", "no rule lets you", "grant list and watch"},
		},
		"a kind that is not there": {
			list: func(context.Context) error {
				return apierrors.NewNotFound(schema.GroupResource{Group: "wardle.example.com", Resource: "flunders"}, "")
			},
			want: []string{"flunders.wardle.example.com", "CustomResourceDefinition"},
		},
		"a list that never answers": {
			list: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
			want: []string{"has not answered its list"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.onList = test.list
				m := newManager(controller.ManagerOptions{SyncTimeout: 90 * time.Second})
				controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
					t.Error("reconciled before its cache was full")
					return controller.Result{}, nil
				}, controller.Options{})
				began := time.Now()
				r := start(t, t.Context(), m)
				synctest.Wait()
				if err := m.Ready(); err == nil {
					t.Error("ready before its cache was full")
				}
				<-r.done
				if r.err == nil || time.Since(began) != 90*time.Second || !errors.Is(m.Report().Cause, cause.ComponentFailed) {
					t.Fatalf("Run returned %v after %v, cause %v", r.err, time.Since(began), m.Report().Cause)
				}
				for _, want := range test.want {
					if !strings.Contains(r.err.Error(), want) {
						t.Errorf("the error does not have %q:\n%v", want, r.err)
					}
				}
				if n := strings.Count(r.log.String(), "List or watch failed"); n > 1 {
					t.Errorf("the same error was logged %d times", n)
				}
			})
		})
	}
}

func TestC23TheEndDuringStartUpIsNoError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.onList = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), nothing, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		end := time.Now()
		if err := r.end(nil); err != nil || time.Since(end) > time.Second {
			t.Errorf("Run returned %v after %v", err, time.Since(end))
		}
	})
}

func TestC23NothingIsListedThatWasNotAdded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		used, unused := newWorld(t), newWorld(t)
		used.add("a")
		unused.onList = func(context.Context) error { t.Error("an informer was started by a read"); return nil }
		other := unused.informer()
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", used.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			if len(other.GetStore().List()) != 0 {
				t.Error("read something")
			}
			return controller.Result{}, nil
		}, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		if err := m.Ready(); err != nil {
			t.Error(err)
		}
	})
}

func TestMistakesInSettingUpAreReturnedByRunBeforeAnythingStarts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.onList = func(context.Context) error { t.Error("listed"); return nil }
		informer := w.informer()
		m := managerOf(nil, controller.ManagerOptions{})
		c := controller.New(m, "twice", informer, nothing, controller.Options{})
		controller.New(m, "twice", informer, nothing, controller.Options{})
		controller.New[*corev1.ConfigMap](m, "", nil, nil, controller.Options{Workers: -1})
		controller.Watches[*corev1.ConfigMap, *corev1.ConfigMap](c, informer, nil)
		controller.Owns[*corev1.ConfigMap, *corev1.ConfigMap](c, nil)
		m.AddInformer(nil, controller.InformerOptions{})
		m.AddInformer(informer, controller.InformerOptions{KeepManagedFields: true})
		m.AddRunnable("", nil)
		err := m.Run(t.Context())
		for _, want := range []string{"rest.Config", `two controllers named "twice"`, "no name", "its informer is nil", "the informer is nil", "its informer for *v1.ConfigMap is nil", "reconcile function is nil",
			"-1 workers", "without a mapping", "a runnable needs", "added already, without these options"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not have %q:\n%v", want, err)
			}
		}
	})
}

func TestAManagerRunsOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(controller.ManagerOptions{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		if err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "make a new one") {
			t.Errorf("the second Run returned %v", err)
		}
	})
}
