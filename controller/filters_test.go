// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller"
)

type mapEvent = controller.Event[*corev1.ConfigMap]

// updated is an update of an object with a generation; change makes the new state.
func updated(change func(*corev1.ConfigMap)) mapEvent {
	before := configMap("x")
	before.UID, before.Generation, before.ResourceVersion = "u", 1, "1"
	after := before.DeepCopy()
	after.ResourceVersion = "2"
	change(after)
	return mapEvent{Type: controller.Updated, Old: before, New: after}
}

func filtersInTest() map[string]controller.Filter[*corev1.ConfigMap] {
	is := controller.GenerationChanged[*corev1.ConfigMap]
	return map[string]controller.Filter[*corev1.ConfigMap]{
		"generation": is, "labels": controller.LabelsChanged[*corev1.ConfigMap],
		"annotations": controller.AnnotationsChanged[*corev1.ConfigMap],
		"finalizers":  controller.FinalizersChanged[*corev1.ConfigMap],
		"not":         controller.Not(is), "not not": controller.Not(controller.Not(is)),
		"not not not": controller.Not(controller.Not(controller.Not(is))),
		"and":         controller.And(is, controller.LabelsChanged[*corev1.ConfigMap]),
		"not and":     controller.Not(controller.And(is, controller.LabelsChanged[*corev1.ConfigMap])),
		"or":          controller.Or(is, controller.LabelsChanged[*corev1.ConfigMap]),
		"not or":      controller.Not(controller.Or(is, controller.LabelsChanged[*corev1.ConfigMap])),
	}
}

func TestNoFilterDropsWhatMustNotBeMissed(t *testing.T) {
	for what, event := range map[string]mapEvent{
		"a creation":                       {Type: controller.Added, New: configMap("x")},
		"a deletion":                       {Type: controller.Deleted, Old: configMap("x")},
		"a resync":                         updated(func(o *corev1.ConfigMap) { o.ResourceVersion = "1" }),
		"an object that was created again": updated(func(o *corev1.ConfigMap) { o.UID = "another" }),
		"the beginning of a deletion":      updated(func(o *corev1.ConfigMap) { now := metav1.Now(); o.DeletionTimestamp = &now }),
		"the beginning of a deletion without a gap": updated(func(o *corev1.ConfigMap) { now := metav1.Now(); o.DeletionTimestamp, o.Generation = &now, 2 }),
	} {
		for name, passes := range filtersInTest() {
			if !passes(t.Context(), event) {
				t.Errorf("%s is dropped by %q", what, name)
			}
		}
	}
	noGeneration := updated(func(*corev1.ConfigMap) {})
	noGeneration.Old.Generation, noGeneration.New.Generation = 0, 0
	for _, name := range []string{"generation", "not", "not not", "not not not", "or"} {
		if !filtersInTest()[name](t.Context(), noGeneration) {
			t.Errorf("an update of a kind without a generation is dropped by %q", name)
		}
	}
}

func TestFiltersPassWhatTheyAreNamedFor(t *testing.T) {
	nothing := updated(func(*corev1.ConfigMap) {})
	for name, want := range map[string]bool{
		"generation": false, "labels": false, "annotations": false, "finalizers": false, "not": true, "not not": false,
		"not not not": true, "and": false, "not and": true, "or": false, "not or": true,
	} {
		if got := filtersInTest()[name](t.Context(), nothing); got != want {
			t.Errorf("an update of nothing: %q says %v", name, got)
		}
	}
	for name, change := range map[string]func(*corev1.ConfigMap){
		"generation":  func(o *corev1.ConfigMap) { o.Generation++ },
		"labels":      func(o *corev1.ConfigMap) { o.Labels = map[string]string{"a": "b"} },
		"annotations": func(o *corev1.ConfigMap) { o.Annotations = map[string]string{"a": "b"} },
		"finalizers":  func(o *corev1.ConfigMap) { o.Finalizers = []string{"a"} },
		"or":          func(o *corev1.ConfigMap) { o.Labels = map[string]string{"a": "b"} },
		"and":         func(o *corev1.ConfigMap) { o.Labels = map[string]string{"a": "b"}; o.Generation++ },
	} {
		passes := filtersInTest()[name]
		if !passes(t.Context(), updated(change)) || controller.Not(passes)(t.Context(), updated(change)) {
			t.Errorf("%q does not pass it, or Not does", name)
		}
	}
	if controller.Or[*corev1.ConfigMap]()(t.Context(), nothing) || !controller.And[*corev1.ConfigMap]()(t.Context(), nothing) {
		t.Error("without filters Or must pass nothing, and And everything")
	}
}

func TestMatchesPassesTheEventWithWhichAnObjectStopsMatching(t *testing.T) {
	mine := controller.Matches(func(o *corev1.ConfigMap) bool { return o.Labels["mine"] == "yes" })
	matching := configMap("x")
	matching.Labels = map[string]string{"mine": "yes"}
	for name, test := range map[string]struct {
		event mapEvent
		want  bool
	}{
		"starts":  {mapEvent{Type: controller.Updated, Old: configMap("x"), New: matching}, true},
		"stops":   {mapEvent{Type: controller.Updated, Old: matching, New: configMap("x")}, true},
		"never":   {mapEvent{Type: controller.Updated, Old: configMap("x"), New: configMap("x")}, false},
		"created": {mapEvent{Type: controller.Added, New: matching}, true},
		"deleted": {mapEvent{Type: controller.Deleted, Old: matching}, true},
		"another": {mapEvent{Type: controller.Deleted, Old: configMap("x")}, false},
	} {
		if got := mine(t.Context(), test.event); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The watch is down while an object is deleted and created again: client-go makes an update of it.
func TestAnObjectCreatedAgainWhileTheWatchWasDownIsReconciled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		first := configMap("x")
		first.UID, first.Generation = "first", 1
		w.Add(first)
		var uids []types.UID
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), func(_ context.Context, o *corev1.ConfigMap) (controller.Result, error) {
			uids = append(uids, o.UID)
			return controller.Result{}, nil
		}, controller.Options{}, controller.WithFilter(controller.GenerationChanged[*corev1.ConfigMap]))
		r := start(t, t.Context(), m)
		synctest.Wait()
		w.DeleteDropWatch(first)
		second := first.DeepCopy()
		second.UID = "second"
		w.AddDropWatch(second)
		w.ResetWatch()
		time.Sleep(time.Hour)
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		if len(uids) != 2 || uids[1] != "second" {
			t.Errorf("reconciled %q", uids)
		}
	})
}

func TestAKindWithoutAGenerationIsReconciledAtEachUpdate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, n := newWorld(t), 0
		w.add("x")
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			n++
			return controller.Result{}, nil
		}, controller.Options{}, controller.WithFilter(controller.GenerationChanged[*corev1.ConfigMap]))
		r := start(t, t.Context(), m)
		synctest.Wait()
		changed := configMap("x")
		changed.Data = map[string]string{"cordoned": "yes"}
		w.Modify(changed)
		synctest.Wait()
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		if n != 2 {
			t.Errorf("%d reconciles", n)
		}
	})
}
