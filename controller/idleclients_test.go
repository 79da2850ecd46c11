// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

// growing is an API server that has 20 ConfigMaps in its list, and whose watch brings more of them, a
// second apart.
func growing(more int) apiServer {
	return func(req *http.Request) (*http.Response, error) {
		switch {
		case strings.HasSuffix(req.URL.Path, "/b"):
			return nil, errAnswered
		case req.URL.Query().Get("watch") != "true":
			return listed(req)
		}
		events, to := io.Pipe()
		go func() {
			for i := range more {
				time.Sleep(2 * time.Second)
				created := configMap(fmt.Sprint("new", i))
				created.Kind, created.APIVersion = "ConfigMap", "v1"
				created.UID, created.ResourceVersion = types.UID(fmt.Sprint("new", i)), fmt.Sprint(200+i)
				created.CreationTimestamp = metav1.Now()
				raw, _ := json.Marshal(created)
				line, _ := json.Marshal(metav1.WatchEvent{Type: "ADDED", Object: runtime.RawExtension{Raw: raw}})
				if _, err := to.Write(line); err != nil {
					return
				}
			}
			<-req.Context().Done()
			_ = to.CloseWithError(req.Context().Err())
		}()
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Request: req, Body: events}, nil
	}
}

// TestC21AManagerWhoseReconcilesMakeNoCallsAlthoughItsInformersDoIsToldOnce has clients of each place.
func TestC21AManagerWhoseReconcilesMakeNoCallsAlthoughItsInformersDoIsToldOnce(t *testing.T) {
	conflict := apierrors.NewConflict(corev1.Resource("configmaps"), "b", errors.New("changed"))
	missing := apierrors.NewNotFound(corev1.Resource("configmaps"), "b")
	type call = func(ctx context.Context, managers, others kubernetes.Interface) error
	through := func(ctx context.Context, _, others kubernetes.Interface) error { return getWith(ctx, others) }
	for name, test := range map[string]struct {
		more int
		call call
		told int
	}{
		"other clients, many new objects": {40, through, 1},
		"other clients, few new objects":  {10, through, 0},
		"a refusal":                       {0, func(context.Context, kubernetes.Interface, kubernetes.Interface) error { return conflict }, 1},
		"what a lister says":              {0, func(context.Context, kubernetes.Interface, kubernetes.Interface) error { return missing }, 0},
		"the manager's clients":           {40, func(ctx context.Context, managers, _ kubernetes.Interface) error { return getWith(ctx, managers) }, 0},
		"the manager's clients, but from elsewhere": {
			40, func(_ context.Context, managers, _ kubernetes.Interface) error { return getWith(elsewhere(), managers) }, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				config := &rest.Config{Transport: growing(test.more)}
				m := managerOf(config, controller.ManagerOptions{})
				managers, others := kubernetes.NewForConfigOrDie(m.Config()), kubernetes.NewForConfigOrDie(config)
				maps := managers.CoreV1().ConfigMaps("")
				lw := &cache.ListWatch{
					ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return maps.List(ctx, o) },
					WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
						return maps.Watch(ctx, o)
					},
				}
				shared := cache.NewSharedIndexInformer(noWatchList{lw}, &corev1.ConfigMap{}, 0, nil)
				c := controller.New(m, "c", controller.Standalone[*corev1.ConfigMap](shared, controller.InformerOptions{}),
					func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
						return controller.Result{}, controller.TerminalError(test.call(ctx, managers, others))
					}, controller.Options{})
				r := start(t, t.Context(), m)
				time.Sleep(3 * time.Minute)
				synctest.Wait()
				if stats := c.Stats(); stats.Terminal < int64(20+test.more) && test.told == 0 {
					t.Errorf("not all were reconciled: %+v", stats)
				}
				if told := strings.Count(r.log.String(), "Reconciles make no calls through the manager's clients"); told != test.told {
					t.Errorf("told %d times, want %d\n%s", told, test.told, r.log)
				}
			})
		})
	}
}
