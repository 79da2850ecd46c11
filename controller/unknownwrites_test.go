// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
)

// TestC19ALookUpThatFailsDoesNotEndTheRowOfFailures: the next reconcile is the next attempt, and the back-off has grown
// meanwhile.
func TestC19ALookUpThatFailsDoesNotEndTheRowOfFailures(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lookUps := 0
		api := &odd{
			at: "7", listed: []corev1.ConfigMap{*version("1", "7")}, events: make(chan string),
			write: answeringWith(&metav1.Status{Code: http.StatusBadGateway}),
			found: func() ([]corev1.ConfigMap, *metav1.Status) {
				if lookUps++; lookUps%3 != 0 {
					return nil, &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden}
				}
				return []corev1.ConfigMap{*version("1", "7")}, nil
			},
		}
		m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: api}, controller.ManagerOptions{})
		client := kubernetes.NewForConfigOrDie(m.Config())
		factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace("default")))
		var attempts []int
		controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(),
			func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
				attempts = append(attempts, controller.Attempt(ctx))
				if len(attempts) == 3 {
					return controller.Result{}, nil
				}
				return controller.Result{}, patched(ctx, client)
			}, controller.Options{Timeout: time.Hour})
		start(t, t.Context(), m)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if !slices.Equal(attempts, []int{1, 2, 3}) {
			t.Errorf("the attempts are %v", attempts)
		}
	})
}
