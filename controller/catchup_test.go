// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

// held holds watches back until release is called for their resource.
type held map[string]chan struct{}

func (h held) hook(ctx context.Context, call virtualtest.Call) error {
	if until := h[call.Resource]; until != nil && call.Verb == "watch" {
		select {
		case <-until:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

func (h held) release(resource string) {
	close(h[resource])
	synctest.Wait()
}

// TestC19AnItemComesBackWhenTheLastCacheHasCaughtUp with what the item has written. No event of these caches adds the
// item: they are only read.
func TestC19AnItemComesBackWhenTheLastCacheHasCaughtUp(t *testing.T) {
	for name, order := range map[string][]string{
		"an object that changes":      {"secrets"},
		"an object that is new":       {"services"},
		"both, first that is changed": {"secrets", "services"},
		"both, first that is new":     {"services", "secrets"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				api := virtualtest.NewAPI(t)
				api.Create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a"}})
				var reconciles atomic.Int32
				virtualtest.Start(t, api, func(m *controller.Manager) error {
					client := kubernetes.NewForConfigOrDie(m.Config())
					core := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0)).Core().V1()
					core.Secrets().Informer()
					core.Services().Informer()
					controller.New(m, "c", core.ConfigMaps().TypedInformer(),
						func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
							if reconciles.Add(1) > 1 {
								return controller.Result{}, nil
							}
							return controller.Result{RequeueAfter: time.Second}, writeTo(ctx, client, order)
						}, controller.Options{Timeout: longest})
					return nil
				})
				synctest.Wait()
				caches := held{"secrets": make(chan struct{}), "services": make(chan struct{})}
				api.Before(caches.hook)
				api.EndWatches()
				time.Sleep(5 * time.Second)
				api.Create(configMap("a"))
				for _, resource := range order {
					time.Sleep(longest / 4)
					if n := reconciles.Load(); n != 1 {
						t.Fatalf("there were %d reconciles before the cache of %s caught up, not 1", n, resource)
					}
					caches.release(resource)
				}
				if n := reconciles.Load(); n != 2 {
					t.Errorf("there were %d reconciles after that, not 2", n)
				}
			})
		})
	}
}

// writeTo changes the Secret a and makes the Service a.
func writeTo(ctx context.Context, client kubernetes.Interface, resources []string) (err error) {
	if slices.Contains(resources, "secrets") {
		_, err = client.CoreV1().Secrets("default").Patch(ctx, "a", types.MergePatchType, []byte(`{"stringData":{"a":"b"}}`), metav1.PatchOptions{})
	}
	if err == nil && slices.Contains(resources, "services") {
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
		_, err = client.CoreV1().Services("default").Create(ctx, service, metav1.CreateOptions{})
	}
	return err
}
