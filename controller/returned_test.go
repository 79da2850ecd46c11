// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// TestC2ACallWithAContextThatAReconcileHasKeptSaysSo makes calls with the context of a reconcile, one
// of which has begun before the reconcile returns.
func TestC2ACallWithAContextThatAReconcileHasKeptSaysSo(t *testing.T) {
	for name, options := range map[string]controller.Options{"plain": {}, "superseding": {SupersedeLimit: 2}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.add("a")
				m := controller.NewManager(&rest.Config{Transport: untilCancelled{}}, controller.ManagerOptions{})
				client := kubernetes.NewForConfigOrDie(m.Config())
				get := func(ctx context.Context) error {
					_, err := client.CoreV1().ConfigMaps("default").Get(ctx, "b", metav1.GetOptions{})
					return err
				}
				begun, contexts := make(chan error, 1), make(chan context.Context, 1)
				controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
					go func() { begun <- get(ctx) }()
					contexts <- ctx
					time.Sleep(time.Second)
					return controller.Result{}, nil
				}, options)
				start(t, t.Context(), m)
				kept := <-contexts
				for when, err := range map[string]error{"before": <-begun, "after": get(kept)} {
					if !errors.Is(err, cause.Returned) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "default/a of c") {
						t.Errorf("a call that began %s the return ended with %v", when, err)
					}
				}
			})
		})
	}
}

// untilCancelled is an API server that never answers.
type untilCancelled struct{}

func (untilCancelled) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}
