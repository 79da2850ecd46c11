// SPDX-License-Identifier: Apache-2.0

package flunder_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/finalizer"
)

const ours = "lanyard.example.com/ours"

func (e *env) configMap(name string, finalizers ...string) *corev1.ConfigMap {
	e.Helper()
	cm, err := e.kube.CoreV1().ConfigMaps(e.namespace).Create(e.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Finalizers: finalizers}}, metav1.CreateOptions{})
	if err != nil {
		e.Fatal(err)
	}
	return cm
}

func (e *env) finalizers(name string) []string {
	e.Helper()
	cm, err := e.kube.CoreV1().ConfigMaps(e.namespace).Get(e.Context(), name, metav1.GetOptions{})
	if err != nil {
		e.Fatal(err)
	}
	return cm.Finalizers
}

// setFinalizers is another writer.
func (e *env) setFinalizers(name string, finalizers ...string) {
	e.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"finalizers": finalizers}})
	if err == nil {
		_, err = e.kube.CoreV1().ConfigMaps(e.namespace).Patch(e.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
	}
	if err != nil {
		e.Fatal(err)
	}
}

func (e *env) delete(name string) {
	e.Helper()
	if err := e.kube.CoreV1().ConfigMaps(e.namespace).Delete(e.Context(), name, metav1.DeleteOptions{}); err != nil {
		e.Fatal(err)
	}
}

// finalize reconciles a ConfigMap as it was read at some time.
func (e *env) finalize(cm *corev1.ConfigMap) error {
	return reconcileNothing(e, cm, ours, e.kube.CoreV1().ConfigMaps(e.namespace).Patch)
}

func reconcileNothing[T controller.Object](e *env, object T, name string, patch finalizer.PatchFunc[T]) error {
	nothing := func(context.Context, T) (controller.Result, error) { return controller.Result{}, nil }
	_, err := finalizer.Reconcile(e.Context(), object, name, patch, nothing, nothing)
	return err
}

func TestFinalizersOfOthersAreNeverLostWhateverWasReadBefore(t *testing.T) {
	e := newEnv(t)
	// Another writer was faster than the addition.
	for name, before := range map[string][]string{"none": nil, "one": {"a.example.com/x"}} {
		read := e.configMap(name, before...)
		e.setFinalizers(name, "b.example.com/y")
		if err := e.finalize(read.DeepCopy()); !apierrors.IsConflict(err) || !slices.Equal(e.finalizers(name), []string{"b.example.com/y"}) {
			t.Errorf("%s: it has %q, %v", name, e.finalizers(name), err)
		}
	}
	// It was ours, of another reconcile, which this one has not seen in its cache yet.
	read := e.configMap("twice", "a.example.com/x")
	e.setFinalizers("twice", "a.example.com/x", ours)
	if err := e.finalize(read); !apierrors.IsConflict(err) || !slices.Equal(e.finalizers("twice"), []string{"a.example.com/x", ours}) {
		t.Errorf("twice: it has %q, %v", e.finalizers("twice"), err)
	}
	// ... and than the removal: behind ours, and before ours.
	e.configMap("behind", ours)
	e.delete("behind")
	read, err := e.kube.CoreV1().ConfigMaps(e.namespace).Get(t.Context(), "behind", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.finalize(read); err != nil {
		t.Error(err)
	}
	read = e.configMap("before", "a.example.com/x", ours, "b.example.com/y")
	e.delete("before")
	e.setFinalizers("before", ours, "b.example.com/y")
	read.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	if err := e.finalize(read); !apierrors.IsConflict(err) || !slices.Equal(e.finalizers("before"), []string{ours, "b.example.com/y"}) {
		t.Errorf("before: it has %q, %v", e.finalizers("before"), err)
	}
	read.Finalizers = []string{ours}
	if err := e.finalize(read); err != nil || !slices.Equal(e.finalizers("before"), []string{"b.example.com/y"}) {
		t.Errorf("before, read again: it has %q, %v", e.finalizers("before"), err)
	}
}

func TestAnObjectThatHasChangedOtherwiseOrIsGoneIsNoConflict(t *testing.T) {
	e := newEnv(t)
	read := e.configMap("a")
	_, err := e.kube.CoreV1().ConfigMaps(e.namespace).Patch(t.Context(), "a", types.MergePatchType, []byte(`{"data":{"x":"y"}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.finalize(read); err != nil || !slices.Equal(e.finalizers("a"), []string{ours}) {
		t.Errorf("it has %q, %v", e.finalizers("a"), err)
	}
	// The object is deleted before its finalizer is added, first with and then without a finalizer of
	// others; and one of its name that is there now is left alone.
	held := e.configMap("held", "a.example.com/x")
	e.delete("held")
	if err := e.finalize(held); !apierrors.IsConflict(err) {
		t.Errorf("an object that is being deleted: %v", err)
	}
	gone := e.configMap("gone")
	e.delete("gone")
	if err := e.finalize(gone.DeepCopy()); !apierrors.IsNotFound(err) {
		t.Errorf("an object that is gone: %v", err)
	}
	e.configMap("gone")
	if err := e.finalize(gone.DeepCopy()); !apierrors.IsConflict(err) || len(e.finalizers("gone")) != 0 {
		t.Errorf("another object of the name has %q, %v", e.finalizers("gone"), err)
	}
	// It is gone before its finalizer is removed.
	gone.Name, gone.Finalizers, gone.DeletionTimestamp = "never", []string{ours}, &metav1.Time{Time: time.Now()}
	if err := e.finalize(gone); err != nil {
		t.Errorf("the removal from an object that is gone: %v", err)
	}
}

// A name that is none is no conflict, which would be tried again without an error in the log.
func TestAFinalizerThatIsNoneIsInvalid(t *testing.T) {
	e := newEnv(t)
	if err := reconcileNothing(e, e.configMap("a"), "no name", e.kube.CoreV1().ConfigMaps(e.namespace).Patch); !apierrors.IsInvalid(err) {
		t.Errorf("a ConfigMap: %v", err)
	}
	if err := reconcileNothing(e, e.create("a", ""), "no name", e.wardle.WardleV1beta1().Flunders(e.namespace).Patch); !apierrors.IsInvalid(err) {
		t.Errorf("a custom resource: %v", err)
	}
}

func TestCustomResourcesAndUntypedObjectsHaveFinalizersToo(t *testing.T) {
	e := newEnv(t)
	e.create("a", "")
	client := dynamic.NewForConfigOrDie(plane.Config()).Resource(v1beta1.SchemeGroupVersion.WithResource("flunders")).Namespace(e.namespace)
	reconcile := func() (did string) {
		t.Helper()
		object, err := client.Get(t.Context(), "a", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		note := func(what string) controller.ReconcileFunc[*unstructured.Unstructured] {
			return func(context.Context, *unstructured.Unstructured) (controller.Result, error) {
				did = what
				return controller.Result{}, nil
			}
		}
		if _, err := finalizer.Reconcile(t.Context(), object, ours, client.Patch, note("reconcile"), note("clean up")); err != nil {
			t.Error(err)
		}
		return did
	}
	if did := reconcile(); did != "reconcile" || !slices.Equal(e.get("a").Finalizers, []string{ours}) {
		t.Errorf("%s; it has %q", did, e.get("a").Finalizers)
	}
	if err := client.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if did := reconcile(); did != "clean up" {
		t.Error(did)
	}
	if _, err := client.Get(t.Context(), "a", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("it is not gone: %v", err)
	}
}

// TestACleanUpThatAShutdownCancelsIsDoneByTheNextProcess runs a controller whose clean-up takes longer than
// the process lives, and then one whose clean-up fails once.
func TestACleanUpThatAShutdownCancelsIsDoneByTheNextProcess(t *testing.T) {
	e := newEnv(t)
	var cleaning, made atomic.Int64
	run := func(cleanUp controller.ReconcileFunc[*corev1.ConfigMap]) *controllerRun {
		m := controller.NewManager(plane.Config(), controller.ManagerOptions{})
		client := kubernetes.NewForConfigOrDie(m.Config())
		maps := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(e.namespace))).Core().V1().ConfigMaps()
		controller.New(m, "maps", maps.TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cm.Name != "a" {
				return controller.Result{}, nil
			}
			return finalizer.Reconcile(ctx, cm, ours, client.CoreV1().ConfigMaps(cm.Namespace).Patch,
				func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
					if !slices.Contains(cm.Finalizers, ours) {
						t.Error("something is made before the finalizer is there")
					}
					made.Add(1)
					return controller.Result{}, nil
				}, cleanUp)
		}, controller.Options{})
		r := &controllerRun{Manager: m, done: make(chan struct{})}
		r.start(e)
		return r
	}
	first := run(func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
		cleaning.Add(1)
		<-ctx.Done() // an external API that does not answer
		return controller.Result{}, context.Cause(ctx)
	})
	e.configMap("a")
	e.eventually("the object is reconciled", func() bool { return made.Load() > 0 })
	e.delete("a")
	e.eventually("the clean-up has begun", func() bool { return cleaning.Load() > 0 })
	began := time.Now()
	if err := first.stop(); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("the shutdown took %v, %v", time.Since(began), err)
	}
	if got := e.finalizers("a"); !slices.Equal(got, []string{ours}) {
		t.Errorf("after the shutdown it has %q", got)
	}
	var tries atomic.Int64
	run(func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
		if tries.Add(1) == 1 {
			return controller.Result{}, errors.New("the external API is down")
		}
		return controller.Result{}, nil
	})
	e.eventually("the object is gone", func() bool {
		_, err := e.kube.CoreV1().ConfigMaps(e.namespace).Get(t.Context(), "a", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	if tries.Load() < 2 {
		t.Errorf("%d tries", tries.Load())
	}
}
