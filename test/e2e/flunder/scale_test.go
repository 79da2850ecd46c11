// SPDX-License-Identifier: Apache-2.0

package flunder_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// TestFiveHundredFlundersSettle applies 500 Flunders at once, stops the controller in the middle of the
// work and starts it again, then edits 200 and deletes 100, and looks at the end state. TestMain looks
// for goroutines that are left.
func TestFiveHundredFlundersSettle(t *testing.T) {
	e := newEnv(t)
	e.rollOut()
	first := e.runController(16)
	name := func(i int) string { return fmt.Sprintf("f%03d", i) }
	random := rand.New(rand.NewPCG(1, 2))
	references := make([]string, 500)
	for i := range references {
		if i > 0 && random.IntN(3) > 0 {
			references[i] = name(random.IntN(i)) // an earlier one, so that there is no cycle
		}
	}
	e.each(500, func(i int) error {
		e.create(name(i), references[i], func(f *v1beta1.Flunder) { f.Spec.Replicas = ptr.To(int32(i % 4)) })
		return nil
	})

	// Ctrl-C in the middle: it returns with a report, and another process finishes the work.
	e.eventually("the work is under way", func() bool { return e.ready() > 20 })
	if err := first.stop(); err != nil {
		t.Errorf("the first controller ended with %v", err)
	}
	if report := first.Report(); len(report.Stragglers) != 0 || !errors.Is(report.Cause, cause.Shutdown) {
		t.Errorf("the first controller left:\n%v", report)
	}
	second := e.runController(16)
	e.eventually("all 500 are ready", func() bool { return e.ready() == 500 })

	deleted := map[int]bool{}
	for _, i := range random.Perm(500)[:100] {
		deleted[i] = true
	}
	edits := make(chan int, 200)
	for range 200 {
		edits <- random.IntN(500)
	}
	close(edits)
	e.each(8, func(int) error {
		for i := range edits {
			patch := fmt.Sprintf(`{"spec":{"image":"registry.example.com/app:edit-%d","replicas":%d}}`, i, i%5)
			_, err := e.wardle.WardleV1beta1().Flunders(e.namespace).Patch(t.Context(), name(i), types.MergePatchType, []byte(patch), metav1.PatchOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
		}
		return nil
	})
	for i := range deleted {
		if err := e.wardle.WardleV1beta1().Flunders(e.namespace).Delete(t.Context(), name(i), metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	var wrong string
	t.Cleanup(func() {
		if wrong != "" {
			t.Error(wrong)
		}
	})
	e.eventually("everything has settled", func() bool { wrong = e.wrong(); return wrong == "" })
	e.settled(second)
	wrong = e.wrong()
	if err := second.stop(); err != nil {
		t.Error(err)
	}
	if n := first.Stats().Panicked + second.Stats().Panicked + second.Stats().Terminal; n != 0 {
		t.Errorf("counted %+v and %+v", first.Stats(), second.Stats())
	}
}

// each runs f for 0 to n-1, sixteen at a time.
func (e *env) each(n int, f func(int) error) {
	e.Helper()
	var g errgroup.Group
	g.SetLimit(16)
	for i := range n {
		g.Go(func() error { return f(i) })
	}
	if err := g.Wait(); err != nil {
		e.Fatal(err)
	}
}

func (e *env) flunders() []v1beta1.Flunder {
	e.Helper()
	list, err := e.wardle.WardleV1beta1().Flunders(e.namespace).List(e.Context(), metav1.ListOptions{})
	if err != nil {
		e.Fatal(err)
	}
	return list.Items
}

func (e *env) ready() (n int) {
	e.Helper()
	for _, f := range e.flunders() {
		if meta.IsStatusConditionTrue(f.Status.Conditions, v1beta1.ConditionReady) {
			n++
		}
	}
	return n
}

// wrong names one thing in which the end state is not as the specs ask for. It knows what that is from
// the specs alone: a Flunder is ready unless its chain of references leads to one that is gone.
func (e *env) wrong() string {
	e.Helper()
	flunders := map[string]v1beta1.Flunder{}
	for _, f := range e.flunders() {
		flunders[f.Name] = f
	}
	list, err := e.kube.AppsV1().Deployments(e.namespace).List(e.Context(), metav1.ListOptions{})
	if err != nil {
		e.Fatal(err)
	}
	deployments := map[string]appsv1.Deployment{}
	for _, d := range list.Items {
		deployments[d.Name] = d // nobody collects garbage here, so those of deleted Flunders are among them
	}
	for _, f := range flunders {
		reason := v1beta1.ReasonAvailable
		if next := f.Spec.FlunderReference; next != "" {
			referred, ok := flunders[next]
			switch {
			case !ok:
				reason = v1beta1.ReasonReferenceNotFound
			case !meta.IsStatusConditionTrue(referred.Status.Conditions, v1beta1.ConditionReady):
				reason = v1beta1.ReasonReferenceNotReady
			}
		}
		condition := meta.FindStatusCondition(f.Status.Conditions, v1beta1.ConditionReady)
		if condition == nil || condition.Reason != reason || f.Status.ObservedGeneration != f.Generation {
			return fmt.Sprintf("%s is %+v, want %s", f.Name, condition, reason)
		}
		d := deployments[f.Name]
		if reason == v1beta1.ReasonAvailable && (!metav1.IsControlledBy(&d, &f) || *d.Spec.Replicas != *f.Spec.Replicas ||
			d.Spec.Template.Spec.Containers[0].Image != f.Spec.Image || f.Status.ReadyReplicas != *f.Spec.Replicas) {
			return fmt.Sprintf("the Deployment of %s is not what the spec asks for: %+v", f.Name, d)
		}
	}
	return ""
}
