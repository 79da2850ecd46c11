// SPDX-License-Identifier: Apache-2.0

package faulttest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

// bug is a planted one.
type bug struct {
	name   string
	oracle faulttest.Oracle
	modes  []faulttest.Mode // with which it is looked for
	wiring
	quiet time.Duration
}

// bugs are of the kinds that Sieve and public reports describe.
var bugs = []bug{
	{
		"a child is made twice after a create of which nobody knows", faulttest.O3,
		[]faulttest.Mode{faulttest.ResetAfter, faulttest.FailedBefore}, wiring{reconcile: twice}, 0,
	}, {
		"the status is written before its object", faulttest.O1,
		[]faulttest.Mode{faulttest.CrashedBefore, faulttest.CancelledBefore}, wiring{reconcile: statusFirst}, 0,
	}, {
		"the finalizer is removed too early", faulttest.O3,
		[]faulttest.Mode{faulttest.CrashedAfter, faulttest.ResetBefore}, wiring{reconcile: finalizerFirst}, 0,
	}, {
		"the name is generated anew on each try", faulttest.O3,
		[]faulttest.Mode{faulttest.FailedBefore, faulttest.Conflict}, wiring{reconcile: newName}, 0,
	}, {
		"an error is swallowed", faulttest.O5,
		[]faulttest.Mode{faulttest.FailedBefore, faulttest.TimedOut}, wiring{reconcile: swallow}, 0,
	}, {
		"the time of a call is taken for the end of the program", faulttest.O5,
		[]faulttest.Mode{faulttest.LateBefore, faulttest.FailedBefore}, wiring{reconcile: giveUpLate}, 0,
	}, {
		"the object is updated from a stale copy", faulttest.O1,
		[]faulttest.Mode{faulttest.Changed, faulttest.ResetBefore}, wiring{reconcile: staleCopy}, 0,
	}, {
		"the owner reference is forgotten on one path", faulttest.O3,
		[]faulttest.Mode{faulttest.ResetAfter, faulttest.FailedBefore}, wiring{reconcile: forgetOwner}, 0,
	}, {
		"the back-off is lost", faulttest.O6,
		[]faulttest.Mode{faulttest.FailedLong, faulttest.FailedBefore}, wiring{reconcile: noBackoff}, 0,
	}, {
		"a requeue is lost", faulttest.O1,
		[]faulttest.Mode{faulttest.ResetAfter, faulttest.TimedOutAfter}, wiring{reconcile: loseRequeue, noOwns: true}, 0,
	}, {
		"what a cache does not show is taken for deleted", faulttest.O3,
		[]faulttest.Mode{faulttest.Stale, faulttest.ResetBefore},
		wiring{reconcile: trustCache, options: controller.Options{AllowStaleReads: true}}, time.Second / 2,
	}, {
		"the namespace is mixed up", faulttest.O3,
		[]faulttest.Mode{faulttest.FailedBefore, faulttest.TooMany}, wiring{reconcile: otherNamespace}, 0,
	}, {
		"something is written after the end", faulttest.O4,
		[]faulttest.Mode{faulttest.CancelledBefore, faulttest.FailedBefore}, wiring{reconcile: writeLate}, 0,
	}, {
		"something is written without leadership", faulttest.O4,
		[]faulttest.Mode{faulttest.LeadershipLost, faulttest.FailedBefore}, wiring{reconcile: writeLate, leads: true}, 0,
	}, {
		"a goroutine is left", faulttest.O7,
		[]faulttest.Mode{faulttest.FailedBefore, faulttest.Recreated}, wiring{reconcile: leave}, 0,
	}, {
		"an end is told as an error", faulttest.O5,
		[]faulttest.Mode{faulttest.LeadershipLost, faulttest.ResetBefore}, wiring{reconcile: confess, leads: true}, 0,
	}, {
		"a second object of the same name is taken for the first", faulttest.O2,
		[]faulttest.Mode{faulttest.Recreated, faulttest.ResetBefore}, wiring{reconcile: byName}, 0,
	}, {
		"a failure is remembered until the next change", faulttest.O2,
		[]faulttest.Mode{faulttest.FailedBefore, faulttest.CrashedBefore}, wiring{reconcile: rememberFailure}, 0,
	},
}

func TestEachPlantedBugIsFoundByItsOracle(t *testing.T) {
	for _, b := range bugs {
		t.Run(strings.ReplaceAll(b.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			report, err := faulttest.Run(t.Context(), plane.Config(), program(b.wiring), faulttest.Options{
				Modes: b.modes, Patience: time.Second, Quiet: b.quiet,
			})
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, f := range report.Failures {
				t.Logf("%s: %s\n\t-fault='%s' (%d of %d times, %d others)", f.Oracle, f.Problem, f.Plan, f.Seen, f.Tried, f.Others)
				plan, err := faulttest.ParsePlan(f.Plan)
				if err != nil || len(plan) != 1 || plan.String() != f.Plan {
					t.Errorf("the plan %q does not repeat it: %v, %v", f.Plan, plan, err)
				}
				found = found || f.Oracle == b.oracle
			}
			if !found {
				t.Errorf("it is not found by %s", b.oracle)
			}
		})
	}
}

func twice(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if parent.Annotations["child"] != "" || parent.DeletionTimestamp != nil {
		return controller.Result{}, nil
	}
	child := childOf(parent)
	child.Name, child.GenerateName = "", parent.Name+"-"
	made, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, child, metav1.CreateOptions{})
	if err != nil {
		return controller.Result{}, err
	}
	return controller.Result{}, s.annotate(ctx, parent, "child", made.Name)
}

func statusFirst(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if parent.Annotations["child"] != "" {
		return controller.Result{}, nil
	}
	if err := s.annotate(ctx, parent, "child", parent.Name+"-child"); err != nil {
		return controller.Result{}, err
	}
	return controller.Result{}, s.ensureChild(ctx, parent)
}

// finalizerFirst has a child without an owner, which it has to delete.
func finalizerFirst(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	finalizers := func(text string) error {
		patch := fmt.Sprintf(`{"metadata":{"finalizers":%s,"uid":%q}}`, text, parent.UID)
		_, err := maps.Patch(ctx, parent.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		return err
	}
	child := childOf(parent)
	child.OwnerReferences = nil
	switch {
	case parent.DeletionTimestamp != nil && len(parent.Finalizers) > 0:
		if err := finalizers("null"); err != nil {
			return controller.Result{}, err
		}
		err := maps.Delete(ctx, child.Name, metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			err = nil
		}
		return controller.Result{}, err
	case parent.DeletionTimestamp != nil:
		return controller.Result{}, nil
	case len(parent.Finalizers) == 0:
		return controller.Result{}, finalizers(`["example.com/shop"]`)
	}
	if _, exists, err := s.children.GetByKey(s.namespace + "/" + child.Name); exists || err != nil {
		return controller.Result{}, err
	}
	_, err := maps.Create(ctx, child, metav1.CreateOptions{})
	return controller.Result{}, err
}

func newName(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if parent.Annotations["child"] != "" {
		return controller.Result{}, nil
	}
	child := childOf(parent)
	child.Name = fmt.Sprintf("%s-%08x", parent.Name, rand.Uint32())
	if _, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, child, metav1.CreateOptions{}); err != nil {
		return controller.Result{}, err
	}
	return controller.Result{}, s.annotate(ctx, parent, "child", child.Name)
}

func swallow(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if err := s.ensureChild(ctx, parent); err != nil {
		return controller.Result{}, nil //nolint:nilerr // the bug
	}
	return controller.Result{}, s.annotate(ctx, parent, "child", parent.Name+"-child")
}

func giveUpLate(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	err := s.ensureChild(ctx, parent)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return controller.Result{}, nil // the bug: only ctx says whether the program ends
	}
	return controller.Result{}, err
}

func staleCopy(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if parent.Annotations["seen"] == "true" {
		return controller.Result{}, nil
	}
	parent.ResourceVersion = ""
	metav1.SetMetaDataAnnotation(&parent.ObjectMeta, "seen", "true")
	_, err := s.client.CoreV1().ConfigMaps(s.namespace).Update(ctx, parent, metav1.UpdateOptions{})
	return controller.Result{}, err
}

func forgetOwner(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if parent.Annotations["child"] != "" {
		return controller.Result{}, nil
	}
	child := childOf(parent)
	_, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, child, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		child.OwnerReferences = nil
		_, err = s.client.CoreV1().ConfigMaps(s.namespace).Update(ctx, child, metav1.UpdateOptions{})
	}
	if err != nil {
		return controller.Result{}, err
	}
	return controller.Result{}, s.annotate(ctx, parent, "child", child.Name)
}

func noBackoff(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if _, err := right(ctx, s, parent); err != nil {
		return controller.Result{RequeueAfter: time.Millisecond}, nil //nolint:nilerr // the bug
	}
	return controller.Result{}, nil
}

// loseRequeue does its second step only when the first one has succeeded in the same process.
func loseRequeue(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	_, made := s.memory.Load(parent.UID)
	switch {
	case parent.Annotations["child"] != "":
		return controller.Result{}, nil
	case made:
		return controller.Result{}, s.annotate(ctx, parent, "child", parent.Name+"-child")
	}
	_, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, childOf(parent), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return controller.Result{}, nil
	}
	if err != nil {
		return controller.Result{}, err
	}
	s.memory.Store(parent.UID, true)
	return controller.Result{RequeueAfter: 100 * time.Millisecond}, nil
}

func trustCache(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if len(s.children.List()) > 0 {
		return controller.Result{}, nil
	}
	result := controller.Result{RequeueAfter: 20 * time.Millisecond} // to see what became of it
	if _, again := s.memory.LoadOrStore(parent.UID, true); again {
		result = controller.Result{}
	}
	child := childOf(parent)
	child.Name, child.GenerateName = "", parent.Name+"-"
	_, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, child, metav1.CreateOptions{})
	return result, err
}

func otherNamespace(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if controller.Attempt(ctx) > 1 {
		stray := childOf(parent)
		stray.Namespace, stray.Name, stray.OwnerReferences = "default", s.namespace, nil
		if _, err := s.client.CoreV1().ConfigMaps("default").Create(ctx, stray, metav1.CreateOptions{}); err != nil {
			return controller.Result{}, err
		}
	}
	return right(ctx, s, parent)
}

// writeLate notes a failure with a context that does not end.
func writeLate(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if _, err := right(ctx, s, parent); err != nil {
		late := &shop{namespace: s.namespace, client: s.plain}
		return controller.Result{}, errors.Join(err, late.annotate(context.WithoutCancel(ctx), parent, "state", "failed"))
	}
	return controller.Result{}, s.annotate(ctx, parent, "state", "good")
}

// left is closed when the tests are over.
var left = make(chan struct{})

func leave(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	result, err := right(ctx, s, parent)
	if err != nil {
		go func() { <-left }()
	}
	return result, err
}

// confess keeps the last error in memory, and writes it later.
func confess(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if last, _ := s.memory.LoadAndDelete("error"); last != nil {
		if err := s.annotate(ctx, parent, "last-error", last.(error).Error()); err != nil {
			return controller.Result{}, err
		}
	}
	own := &shop{namespace: s.namespace, client: s.plain, children: s.children}
	_, err := right(ctx, own, parent)
	if err != nil {
		s.memory.Store("error", err)
	}
	return controller.Result{}, err
}

// byName remembers what it has done by name, and not by UID.
func byName(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if _, done := s.memory.Load(parent.Name); done {
		return controller.Result{}, nil
	}
	err := s.annotate(ctx, parent, "done", "true")
	if err == nil {
		s.memory.Store(parent.Name, true)
	}
	return controller.Result{}, err
}

// rememberFailure passes over what its own write has led to, and so writes at a later change what it should have
// written then. A restart forgets it.
func rememberFailure(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	const complete = "child"
	_, own := s.memory.LoadAndDelete("wrote")
	_, failed := s.memory.Load("failed")
	switch {
	case own, parent.DeletionTimestamp != nil:
		return controller.Result{}, nil
	case parent.Annotations[complete] != "" && failed:
		return controller.Result{}, s.annotate(ctx, parent, "has-failed", "true")
	case parent.Annotations[complete] != "":
		return controller.Result{}, nil
	}
	s.memory.Store("wrote", true)
	err := s.annotate(ctx, parent, complete, "none")
	if err != nil {
		s.memory.Delete("wrote")
		s.memory.Store("failed", true)
	}
	return controller.Result{}, err
}
