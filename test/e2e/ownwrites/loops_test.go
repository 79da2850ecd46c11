// SPDX-License-Identifier: Apache-2.0

package ownwrites_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

const told = "An object is reconciled again and again"

// patching adds a controller that sets a value of each parent.
func (p *program) patching(name string, value func() string) (reconciles *atomic.Int32) {
	reconciles = &atomic.Int32{}
	controller.New(p.Manager, name, p.factory.Core().V1().ConfigMaps().TypedInformer(),
		func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cm.Labels["parent"] == "" {
				return controller.Result{}, nil
			}
			patch := fmt.Appendf(nil, `{"data":{"at":%q}}`, value())
			_, err := p.client.CoreV1().ConfigMaps(p.namespace).Patch(ctx, cm.Name, types.MergePatchType, patch, metav1.PatchOptions{})
			reconciles.Add(1)
			return controller.Result{}, err
		}, controller.Options{})
	return reconciles
}

// TestC20AnObjectThatTriggersItselfIsFoundNamedAndSlowedDown: it writes a new time at each reconcile.
func TestC20AnObjectThatTriggersItselfIsFoundNamedAndSlowedDown(t *testing.T) {
	p := newProgram(t, nil)
	reconciles := p.patching("clock", func() string { return time.Now().String() })
	p.parent(t)
	p.start(t)
	time.Sleep(5 * time.Second)
	if n := reconciles.Load(); n < 20 || n > 40 {
		t.Errorf("%d reconciles in five seconds", n)
	}
	line := p.log.String()
	for _, part := range []string{told, p.namespace + "/a", "changes=[data.at]", "clock for", "patch configmaps"} {
		if !strings.Contains(line, part) {
			t.Errorf("no %q in:\n%s", part, line)
		}
	}
	if n := strings.Count(line, told); n != 1 {
		t.Errorf("told %d times", n)
	}
	// What others do is not held back.
	before := reconciles.Load()
	if _, err := admin().CoreV1().ConfigMaps(p.namespace).Patch(t.Context(), "a", types.MergePatchType,
		[]byte(`{"data":{"other":"x"}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	suite.Eventually(t, "the change of another is reconciled", func() error {
		if reconciles.Load() == before {
			return fmt.Errorf("%d", before)
		}
		return nil
	})
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestC20TwoControllersThatUndoEachOthersWritesAreNamedTogether.
func TestC20TwoControllersThatUndoEachOthersWritesAreNamedTogether(t *testing.T) {
	p := newProgram(t, nil)
	ones := p.patching("ones", func() string { return "1" })
	twos := p.patching("twos", func() string { return "2" })
	p.parent(t)
	p.start(t)
	suite.Eventually(t, "it is told", func() error {
		if !strings.Contains(p.log.String(), told) {
			return fmt.Errorf("%d and %d reconciles", ones.Load(), twos.Load())
		}
		return nil
	})
	for _, part := range []string{"undo each other's writes", "ones for", "twos for", "data.at"} {
		if !strings.Contains(p.log.String(), part) {
			t.Errorf("no %q in:\n%s", part, p.log.String())
		}
	}
	before := ones.Load() + twos.Load()
	time.Sleep(2 * time.Second)
	if n := ones.Load() + twos.Load() - before; n > 40 {
		t.Errorf("%d reconciles in two seconds", n)
	}
}

// TestC20AControllerThatConvergesIsNotAccused: it needs some rounds for each change of another, and there are
// many of these.
func TestC20AControllerThatConvergesIsNotAccused(t *testing.T) {
	p := newProgram(t, nil)
	var rounds atomic.Int32
	reconciles := p.patching("rounds", func() string { return fmt.Sprint(min(rounds.Add(1), 10)) })
	p.parent(t)
	p.start(t)
	for i := range 10 {
		suite.Eventually(t, "it comes to rest", func() error {
			if n := reconciles.Load(); int(n) < 11*(i+1) {
				return fmt.Errorf("%d reconciles", n)
			}
			return nil
		})
		rounds.Store(0)
		if _, err := admin().CoreV1().ConfigMaps(p.namespace).Patch(t.Context(), "a", types.MergePatchType,
			fmt.Appendf(nil, `{"data":{"other":"%d"}}`, i), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(p.log.String(), told) {
		t.Errorf("after %d reconciles:\n%s", reconciles.Load(), p.log.String())
	}
}
