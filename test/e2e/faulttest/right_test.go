// SPDX-License-Identifier: Apache-2.0

package faulttest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

// right is a reconciler without a bug.
func right(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if parent.DeletionTimestamp != nil {
		return controller.Result{}, nil
	}
	if err := s.ensureChild(ctx, parent); err != nil {
		return controller.Result{}, err
	}
	return controller.Result{}, s.annotate(ctx, parent, "child", parent.Name+"-child")
}

// ensureChild makes the child, unless it is there. One of an earlier parent of the name is in the way until it is
// collected, which wakes the parent by its deletion.
func (s *shop) ensureChild(ctx context.Context, parent *corev1.ConfigMap) error {
	want := childOf(parent)
	cached, exists, err := s.children.GetByKey(parent.Namespace + "/" + want.Name)
	if err != nil {
		return err
	}
	if exists && metav1.IsControlledBy(cached.(*corev1.ConfigMap), parent) {
		return nil
	}
	_, err = s.client.CoreV1().ConfigMaps(parent.Namespace).Create(ctx, want, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) && !exists {
		return fmt.Errorf("the child is not in the cache yet: %w", err)
	}
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// annotate sets an annotation of a parent, unless it is set.
func (s *shop) annotate(ctx context.Context, parent *corev1.ConfigMap, key, value string) error {
	if parent.Annotations[key] == value {
		return nil
	}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q},"uid":%q}}`, key, value, parent.UID)
	_, err := s.client.CoreV1().ConfigMaps(parent.Namespace).Patch(ctx, parent.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

func TestAReconcilerWithoutABugHasNoFailure(t *testing.T) {
	faulttest.Explore(t, plane.Config(), program(wiring{reconcile: right, leads: true}), faulttest.Options{})
}

func TestPairsOfFaultsAreTriedWithinTheBudget(t *testing.T) {
	options := faulttest.Options{
		Pairs: true, Budget: 10 * time.Second, Modes: []faulttest.Mode{faulttest.ResetAfter, faulttest.CrashedBefore, faulttest.FailedBefore},
	}
	report, err := faulttest.Run(t.Context(), plane.Config(), program(wiring{reconcile: right}), options)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Failures {
		t.Error(f)
	}
	t.Logf("%+v", report)
}
