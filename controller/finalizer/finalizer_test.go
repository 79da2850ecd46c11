// SPDX-License-Identifier: Apache-2.0

package finalizer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/finalizer"
)

const ours = "example.com/ours"

// reconciling is one object, and what happened to it.
type reconciling struct {
	*testing.T
	client *fake.Clientset
	did    []string
	result controller.Result
	err    error // of reconcile and cleanUp
}

func (r *reconciling) step(name string) controller.ReconcileFunc[*corev1.ConfigMap] {
	return func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		r.did = append(r.did, name+" "+strings.Join(cm.Finalizers, ","))
		return r.result, r.err
	}
}

// reconcile reconciles an object with these finalizers, and returns those that it has afterwards.
func (r *reconciling) reconcile(deleted bool, finalizers ...string) (after []string, result controller.Result, err error) {
	r.Helper()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "a", UID: "u", Finalizers: finalizers}}
	if deleted {
		cm.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	}
	r.did = nil
	r.client = fake.NewClientset(cm)
	patch := r.client.CoreV1().ConfigMaps("n").Patch
	result, err = finalizer.Reconcile(r.Context(), cm.DeepCopy(), ours, patch, r.step("reconcile"), r.step("clean up"))
	there, getErr := r.client.CoreV1().ConfigMaps("n").Get(r.Context(), "a", metav1.GetOptions{})
	if getErr != nil {
		r.Fatal(getErr)
	}
	return there.Finalizers, result, err
}

func TestTheFinalizerIsThereBeforeAnythingIsMadeAndGoesAfterTheCleanUp(t *testing.T) {
	for name, c := range map[string]struct {
		deleted       bool
		before, after []string
		did           string
	}{
		"a new object":               {false, nil, []string{ours}, "reconcile " + ours},
		"a new object of others":     {false, []string{"a/b"}, []string{"a/b", ours}, "reconcile a/b," + ours},
		"an object that has it":      {false, []string{ours}, []string{ours}, "reconcile " + ours},
		"a deleted object":           {true, []string{ours}, nil, "clean up " + ours},
		"a deleted object of others": {true, []string{"a/b", ours, "c/d"}, []string{"a/b", "c/d"}, "clean up a/b," + ours + ",c/d"},
		"an object that is cleaned":  {true, []string{"a/b"}, []string{"a/b"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reconciling{T: t}
			after, _, err := r.reconcile(c.deleted, c.before...)
			if err != nil || !slices.Equal(after, c.after) || strings.Join(r.did, ";") != c.did {
				t.Errorf("it has %q after %q, %v", after, r.did, err)
			}
		})
	}
}

func TestACleanUpThatIsNotFinishedKeepsTheFinalizer(t *testing.T) {
	broken := errors.New("the bucket is in use")
	r := &reconciling{T: t, err: broken}
	after, _, err := r.reconcile(true, ours)
	if !slices.Equal(after, []string{ours}) || !errors.Is(err, broken) ||
		err.Error() != "clean up for n/a, which keeps its finalizer example.com/ours until that succeeds: the bucket is in use" {
		t.Errorf("after an error it has %q, %v", after, err)
	}
	r = &reconciling{T: t, result: controller.Result{RequeueAfter: time.Minute}}
	after, result, err := r.reconcile(true, ours)
	if !slices.Equal(after, []string{ours}) || result.RequeueAfter != time.Minute || err != nil {
		t.Errorf("while it goes on it has %q, %+v, %v", after, result, err)
	}
}

func TestWithoutTheFinalizerNothingIsMade(t *testing.T) {
	r := &reconciling{T: t, client: fake.NewClientset()}
	r.client.PrependReactor("patch", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewInternalError(errors.New("etcd is gone"))
	})
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "a"}}
	patch := r.client.CoreV1().ConfigMaps("n").Patch
	_, err := finalizer.Reconcile(t.Context(), cm, ours, patch, r.step("reconcile"), r.step("clean up"))
	if len(r.did) != 0 || !apierrors.IsInternalError(err) || !strings.Contains(err.Error(), "add the finalizer example.com/ours to n/a: ") {
		t.Errorf("it did %q, %v", r.did, err)
	}
}

// TestAnObjectThatLivesOnCanBeFinished: what was made for it goes, and then the finalizer.
func TestAnObjectThatLivesOnCanBeFinished(t *testing.T) {
	for name, test := range map[string]struct {
		finalizers, did, left []string
		err                   error
	}{
		"with the finalizer":     {[]string{"other/a", ours}, []string{"clean up other/a," + ours}, []string{"other/a"}, nil},
		"a clean-up that failed": {[]string{ours}, []string{"clean up " + ours}, []string{ours}, errors.New("down")},
		"without the finalizer":  {[]string{"other/a"}, nil, []string{"other/a"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reconciling{T: t, err: test.err}
			cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "a", UID: "u", Finalizers: test.finalizers}}
			client := fake.NewClientset(cm).CoreV1().ConfigMaps("n")
			_, err := finalizer.Finish(t.Context(), cm.DeepCopy(), ours, client.Patch, r.step("clean up"))
			if !errors.Is(err, test.err) || !slices.Equal(r.did, test.did) {
				t.Errorf("it returned %v and did %q", err, r.did)
			}
			if cm, err = client.Get(t.Context(), "a", metav1.GetOptions{}); err != nil || !slices.Equal(cm.Finalizers, test.left) {
				t.Errorf("the finalizers are %q, %v", cm.Finalizers, err)
			}
		})
	}
}
