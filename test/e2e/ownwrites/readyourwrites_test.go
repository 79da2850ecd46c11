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
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/wire"
)

// children adds a controller that makes one Secret, with a made-up name, for each parent whose lister shows
// none.
func (p *program) children(options controller.Options) (c *controller.Controller[*corev1.ConfigMap], reconciles *atomic.Int32) {
	maps := p.factory.Core().V1().ConfigMaps()
	secrets := p.factory.Core().V1().Secrets()
	reconciles = &atomic.Int32{}
	c = controller.New(p.Manager, "parents", maps.TypedInformer(),
		func(ctx context.Context, parent *corev1.ConfigMap) (controller.Result, error) {
			if parent.Labels["parent"] == "" {
				return controller.Result{}, nil
			}
			defer reconciles.Add(1)
			known, err := secrets.Lister().Secrets(p.namespace).List(labels.Set{"of": parent.Name}.AsSelector())
			if err != nil || len(known) > 0 {
				return controller.Result{}, err
			}
			_, err = p.client.CoreV1().Secrets(p.namespace).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
				GenerateName: parent.Name + "-", Labels: map[string]string{"of": parent.Name},
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(parent, corev1.SchemeGroupVersion.WithKind("ConfigMap"))},
			}}, metav1.CreateOptions{})
			return controller.Result{}, err
		}, options)
	controller.Owns(c, secrets.TypedInformer())
	return c, reconciles
}

// made returns the number of Secrets of a parent on the API server.
func (p *program) made(t *testing.T, parent string) int {
	t.Helper()
	list, err := admin().CoreV1().Secrets(p.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "of=" + parent})
	if err != nil {
		t.Fatal(err)
	}
	return len(list.Items)
}

// TestC19ASecondChildIsNotMadeBecauseTheCacheDoesNotShowTheFirst: the object is reconciled again and again
// while the watch lags. Without the wait, that makes more children.
func TestC19ASecondChildIsNotMadeBecauseTheCacheDoesNotShowTheFirst(t *testing.T) {
	for _, stale := range []bool{false, true} {
		t.Run(fmt.Sprintf("AllowStaleReads=%t", stale), func(t *testing.T) {
			p := newProgram(t, wire.Lagging(time.Second))
			c, reconciles := p.children(controller.Options{AllowStaleReads: stale})
			p.parent(t)
			p.start(t)
			suite.Eventually(t, "the first child is made", func() error {
				if p.made(t, "a") == 0 {
					return fmt.Errorf("none")
				}
				return nil
			})
			again := reconciles.Load()
			for range 5 {
				c.Enqueue(t.Context(), "test", controller.Request{Namespace: p.namespace, Name: "a"})
				time.Sleep(20 * time.Millisecond)
			}
			suite.Eventually(t, "it is reconciled again", func() error {
				if reconciles.Load() == again {
					return fmt.Errorf("%d reconciles", again)
				}
				return nil
			})
			if n := p.made(t, "a"); (n > 1) != stale {
				t.Errorf("%d children with AllowStaleReads=%t", n, stale)
			}
		})
	}
}

// TestC19AWriteThatWasCutOffIsLookedUp: the API server has made the child, but the answer was lost.
func TestC19AWriteThatWasCutOffIsLookedUp(t *testing.T) {
	var cuts atomic.Int32
	late := wire.Lagging(time.Second)
	late.Cut = func(req *http.Request) bool {
		return req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/secrets") && cuts.Add(1) == 1
	}
	p := newProgram(t, late)
	_, reconciles := p.children(controller.Options{})
	p.parent(t)
	p.start(t)
	suite.Eventually(t, "it is reconciled again", func() error {
		if n := reconciles.Load(); n < 2 {
			return fmt.Errorf("%d reconciles", n)
		}
		return nil
	})
	if n := p.made(t, "a"); n != 1 || cuts.Load() != 1 {
		t.Errorf("%d children, %d creates", n, cuts.Load())
	}
}

// TestC19ACacheThatNeverCatchesUpIsToldAndTheItemIsNotLost: the watch stays behind for longer than the item's
// time.
func TestC19ACacheThatNeverCatchesUpIsToldAndTheItemIsNotLost(t *testing.T) {
	late := &wire.Wire{}
	p := newProgram(t, late)
	var reconciles atomic.Int32
	c := controller.New(p.Manager, "notes", p.factory.Core().V1().ConfigMaps().TypedInformer(),
		func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cm.Labels["parent"] == "" {
				return controller.Result{}, nil
			}
			late.SetLag(time.Hour) // from now on no event comes
			patch := fmt.Appendf(nil, `{"data":{"n":"%d"}}`, reconciles.Add(1))
			_, err := p.client.CoreV1().ConfigMaps(p.namespace).Patch(ctx, cm.Name, types.MergePatchType, patch, metav1.PatchOptions{})
			return controller.Result{}, err
		}, controller.Options{Timeout: 2 * time.Second},
		controller.WithFilter(controller.LabelsChanged[*corev1.ConfigMap]))
	p.start(t)
	p.parent(t)
	suite.Eventually(t, "it was reconciled", func() error {
		if reconciles.Load() == 0 {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	began := time.Now()
	c.Enqueue(t.Context(), "test", controller.Request{Namespace: p.namespace, Name: "a"})
	suite.Eventually(t, "it is reconciled all the same", func() error {
		if n := reconciles.Load(); n != 2 {
			return fmt.Errorf("%d reconciles", n)
		}
		return nil
	})
	if took := time.Since(began); took < 1500*time.Millisecond {
		t.Errorf("it did not wait for its cache, but for %v", took)
	}
	for _, part := range []string{"Caches have not shown what earlier reconciles have written", "informer of ConfigMap", "/a at version"} {
		if !strings.Contains(p.log.String(), part) {
			t.Errorf("no %q in:\n%s", part, p.log.String())
		}
	}
}
