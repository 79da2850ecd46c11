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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
)

// TestTheDefaultLogHasFailuresOnly is what docs/controllers.md says of logs: case 39. A program that
// works writes nothing for each object, however many there are.
func TestTheDefaultLogHasFailuresOnly(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, "a", errors.New("changed"))
	const v0, failure, v1, v2 = "level=INFO", "level=ERROR", "level=DEBUG+3", "level=DEBUG+2"
	for name, test := range map[string]struct {
		calls int
		end   returns
		want  string // the level of the line
	}{
		"no calls":               {0, after(0), v2},
		"calls":                  {1, after(0), v1},
		"calls, and again later": {1, after(time.Hour), v1},
		"a failure":              {0, after(time.Hour).failing(errors.New("broken")), failure},
		"a failure with calls":   {1, after(time.Hour).failing(errors.New("broken")), failure},
		"a terminal failure":     {0, after(0).failing(controller.TerminalError(errors.New("broken"))), failure},
		"a conflict":             {1, after(time.Hour).failing(conflict), v0},
		"a panic":                {0, func() (controller.Result, error) { panic("out of cheese") }, failure},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.add("a")
				m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: cluster{}}, controller.ManagerOptions{})
				maps := kubernetes.NewForConfigOrDie(m.Config()).CoreV1().ConfigMaps("n")
				controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
					for range test.calls {
						if _, err := maps.List(ctx, metav1.ListOptions{}); err != nil {
							t.Error(err)
						}
					}
					return test.end()
				}, controller.Options{Backoff: workqueueBackoff(time.Hour)()})
				r := start(t, t.Context(), m)
				synctest.Wait()
				var lines []string
				for line := range strings.Lines(r.log.String()) {
					if strings.Contains(line, `"Reconcile`) || strings.Contains(line, "msg=Reconciled") {
						lines = append(lines, line)
					}
				}
				if len(lines) != 1 || !strings.Contains(lines[0], test.want+" ") {
					t.Errorf("it wrote %q, want one line with %s", lines, test.want)
				}
			})
		})
	}
}

// TestACancelledReconcileIsALineOfTheCallsLevelWithItsCause, and no failure.
func TestACancelledReconcileIsALineOfTheCallsLevelWithItsCause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			<-ctx.Done()
			return controller.Result{}, ctx.Err()
		}, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		if err := r.end(errors.New("no power")); err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, `"Reconcile cancelled"`) {
				if !strings.Contains(line, "level=DEBUG+3 ") || !strings.Contains(line, "no power") || !strings.Contains(line, "result=cancelled") {
					t.Errorf("the line is %q", line)
				}
				return
			}
		}
		t.Errorf("no line says it:\n%s", r.log)
	})
}
