// SPDX-License-Identifier: Apache-2.0

package ownwrites_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/wire"
)

// TestC19AWatchThatIsCutWhileWritesGoThroughIsWaitedForAndTold: neither watches nor lists are answered any more.
// When they are, the cache catches up, and the object is reconciled with what it has missed.
func TestC19AWatchThatIsCutWhileWritesGoThroughIsWaitedForAndTold(t *testing.T) {
	var cut atomic.Bool
	w := &wire.Wire{}
	w.Refuse = func(req *http.Request) bool {
		return cut.Load() && req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, "/configmaps")
	}
	p := newProgram(t, w)
	var reconciles, seen atomic.Int64
	c := controller.New(p.Manager, "counter", p.factory.Core().V1().ConfigMaps().TypedInformer(),
		func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cm.Labels["parent"] == "" {
				return controller.Result{}, nil
			}
			defer reconciles.Add(1)
			var n int64
			_, _ = fmt.Sscan(cm.Data["n"], &n)
			seen.Store(n)
			if n > 0 {
				return controller.Result{}, nil
			}
			cut.Store(true)
			w.Break()
			_, err := p.client.CoreV1().ConfigMaps(p.namespace).Patch(ctx, cm.Name, types.MergePatchType, []byte(`{"data":{"n":"1"}}`), metav1.PatchOptions{})
			return controller.Result{}, err
		}, controller.Options{Timeout: 2 * time.Second})
	p.parent(t)
	p.start(t)
	waitFor := func(what string, holds func() bool) {
		suite.Eventually(t, what, func() error {
			if !holds() {
				return fmt.Errorf("%d reconciles, the last one with %d", reconciles.Load(), seen.Load())
			}
			return nil
		})
	}
	waitFor("it was reconciled", func() bool { return reconciles.Load() == 1 })
	c.Enqueue(t.Context(), "test", controller.Request{Namespace: p.namespace, Name: "a"})
	waitFor("it is reconciled from the old cache", func() bool { return reconciles.Load() == 2 && seen.Load() == 0 })
	for _, part := range []string{
		"List or watch failed", "Caches have not shown what earlier reconciles have written", "informer of ConfigMap", "/a at version",
	} {
		if !strings.Contains(p.log.String(), part) {
			t.Errorf("no %q in:\n%s", part, p.log)
		}
	}
	cut.Store(false)
	waitFor("it is reconciled with what it has written", func() bool { return seen.Load() == 1 })
}
