// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

// listed is an API server's answer to a list; its watches bring nothing.
func listed(req *http.Request) (*http.Response, error) {
	if req.URL.Query().Get("watch") == "true" {
		return untilCancelled{}.RoundTrip(req)
	}
	list := corev1.ConfigMapList{ListMeta: metav1.ListMeta{ResourceVersion: "100"}}
	list.Kind, list.APIVersion = "ConfigMapList", "v1"
	for i := range 20 {
		served := configMap(fmt.Sprint("cm", i))
		served.UID, served.ResourceVersion = types.UID(fmt.Sprint(i)), "50"
		served.CreationTimestamp = metav1.Time{Time: time.Now()}
		list.Items = append(list.Items, *served)
	}
	body, err := json.Marshal(list)
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(string(body))),
	}, err
}

// TestACacheThatIsNotFilledByTheManagersClientsIsToldOnce has an informer of a client from each place.
func TestACacheThatIsNotFilledByTheManagersClientsIsToldOnce(t *testing.T) {
	config := &rest.Config{Host: "http://unused.invalid", Transport: apiServer(listed)}
	for name, test := range map[string]struct {
		client func(*controller.Manager) kubernetes.Interface
		stray  bool // the informer has a context from elsewhere
		told   int
	}{
		"another configuration": {func(*controller.Manager) kubernetes.Interface { return kubernetes.NewForConfigOrDie(config) }, false, 1},
		"the manager":           {func(m *controller.Manager) kubernetes.Interface { return kubernetes.NewForConfigOrDie(m.Config()) }, false, 0},
		"the manager, but with contexts from elsewhere": {
			func(m *controller.Manager) kubernetes.Interface { return kubernetes.NewForConfigOrDie(m.Config()) }, true, 0,
		},
		"a fake": {func(*controller.Manager) kubernetes.Interface {
			return fake.NewClientset(configMap("a"), configMap("b"), configMap("c"))
		}, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				m := managerOf(config, controller.ManagerOptions{})
				maps := test.client(m).CoreV1().ConfigMaps("")
				of := func(ctx context.Context) context.Context {
					if test.stray {
						return elsewhere()
					}
					return ctx
				}
				lw := &cache.ListWatch{
					ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
						return maps.List(of(ctx), options)
					},
					WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
						return maps.Watch(of(ctx), options)
					},
				}
				shared := cache.NewSharedIndexInformer(noWatchList{lw}, &corev1.ConfigMap{}, 0, nil)
				c := controller.New(m, "c", controller.Standalone[*corev1.ConfigMap](shared, controller.InformerOptions{}), nothing, controller.Options{Workers: 4})
				r := start(t, t.Context(), m)
				synctest.Wait()
				if c.Stats().Done == 0 {
					t.Fatal("nothing was reconciled")
				}
				if told := strings.Count(r.log.String(), "clients that are not the manager's"); told != test.told || m.Healthy() != nil {
					t.Errorf("told %d times, want %d; healthy: %v\n%s", told, test.told, m.Healthy(), r.log)
				}
			})
		})
	}
}
