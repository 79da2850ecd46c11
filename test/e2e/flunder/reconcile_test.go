// SPDX-License-Identifier: Apache-2.0

package flunder_test

import (
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
)

func TestAFlunderBecomesADeploymentThatItOwns(t *testing.T) {
	e := newEnv(t)
	e.rollOut()
	e.runController(2)
	created := e.create("a", "", func(f *v1beta1.Flunder) { f.Spec.Replicas = ptr.To[int32](3) })
	f := e.awaitReason("a", v1beta1.ReasonAvailable)
	if !meta.IsStatusConditionTrue(f.Status.Conditions, v1beta1.ConditionReady) || !meta.IsStatusConditionFalse(f.Status.Conditions, v1beta1.ConditionProgressing) ||
		f.Status.ReadyReplicas != 3 || f.Status.Replicas != 3 {
		t.Errorf("the status is %+v", f.Status)
	}
	d, err := e.kube.AppsV1().Deployments(e.namespace).Get(t.Context(), "a", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !metav1.IsControlledBy(d, created) || *d.Spec.Replicas != 3 || d.Spec.Template.Spec.Containers[0].Image != "registry.example.com/app:v1" {
		t.Errorf("the Deployment is %+v", d)
	}
	scale, err := e.wardle.WardleV1beta1().Flunders(e.namespace).GetScale(t.Context(), "a", metav1.GetOptions{})
	if err != nil || scale.Spec.Replicas != 3 || scale.Status.Replicas != 3 || scale.Status.Selector != "wardle.example.com/flunder=a" {
		t.Errorf("the scale is %+v, %v", scale, err)
	}
	e.eventually("an event tells of it", func() bool {
		events, err := e.kube.EventsV1().Events(e.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events.Items {
			if event.Reason == v1beta1.ReasonAvailable && event.Regarding.UID == created.UID && event.Type == corev1.EventTypeNormal {
				return true
			}
		}
		return false
	})
}

func TestEditsOfTheSpecAndOfTheDeploymentAreReconciled(t *testing.T) {
	e := newEnv(t)
	e.rollOut()
	e.runController(1)
	e.create("a", "")
	e.awaitReason("a", v1beta1.ReasonAvailable)
	e.patch("a", `{"spec":{"image":"registry.example.com/app:v2","replicas":2}}`)
	if f := e.awaitReason("a", v1beta1.ReasonAvailable); f.Status.ReadyReplicas != 2 {
		t.Errorf("%d replicas are ready", f.Status.ReadyReplicas)
	}
	image := func() string { return e.deployment("a").Spec.Template.Spec.Containers[0].Image }
	if got := image(); got != "registry.example.com/app:v2" {
		t.Errorf("the image is %s", got)
	}
	// Someone edits what the controller owns.
	_, err := e.kube.AppsV1().Deployments(e.namespace).Patch(t.Context(), "a", types.StrategicMergePatchType,
		[]byte(`{"spec":{"template":{"spec":{"containers":[{"name":"flunder","image":"registry.example.com/evil:v1"}]}}}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e.eventually("the edit is put right", func() bool { return image() == "registry.example.com/app:v2" })
	// Someone deletes it.
	if err := e.kube.AppsV1().Deployments(e.namespace).Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	e.eventually("it is there again", func() bool {
		_, err := e.kube.AppsV1().Deployments(e.namespace).Get(t.Context(), "a", metav1.GetOptions{})
		return err == nil
	})
}

func TestAReferenceIsWaitedForAndItsDependantsAreWoken(t *testing.T) {
	e := newEnv(t)
	e.rollOut()
	e.runController(2)
	e.create("front", "middle")
	e.create("middle", "base")
	e.awaitReason("middle", v1beta1.ReasonReferenceNotFound)
	e.awaitReason("front", v1beta1.ReasonReferenceNotReady)
	if deployments, err := e.kube.AppsV1().Deployments(e.namespace).List(t.Context(), metav1.ListOptions{}); err != nil || len(deployments.Items) != 0 {
		t.Errorf("%d Deployments before the reference is ready, %v", len(deployments.Items), err)
	}
	e.create("base", "")
	e.awaitReason("front", v1beta1.ReasonAvailable)
	// What they wait for goes away: they say so, and what runs is left running.
	if err := e.wardle.WardleV1beta1().Flunders(e.namespace).Delete(t.Context(), "base", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	e.awaitReason("middle", v1beta1.ReasonReferenceNotFound)
	e.awaitReason("front", v1beta1.ReasonReferenceNotReady)
	e.deployment("front")
}

func TestCyclesOfReferencesAreReportedAndHealWhenBroken(t *testing.T) {
	e := newEnv(t)
	e.rollOut()
	e.runController(2)
	e.create("self", "self")
	e.awaitReason("self", v1beta1.ReasonReferenceCycle)
	e.create("x", "y")
	e.create("y", "z")
	e.create("z", "x")
	e.create("outside", "x")
	for _, name := range []string{"x", "y", "z"} {
		e.awaitReason(name, v1beta1.ReasonReferenceCycle)
	}
	f := e.awaitReason("outside", v1beta1.ReasonReferenceNotReady)
	if ready := meta.FindStatusCondition(f.Status.Conditions, v1beta1.ConditionReady); ready.Status != metav1.ConditionFalse {
		t.Errorf("outside is %+v", ready)
	}
	e.patch("y", `{"spec":{"flunderReference":null}}`)
	for _, name := range []string{"y", "x", "z", "outside"} {
		e.awaitReason(name, v1beta1.ReasonAvailable)
	}
}

func TestAnInvalidImageIsAConditionAndWhatTheSchemaForbidsIsRejected(t *testing.T) {
	e := newEnv(t)
	e.runController(1)
	e.create("bad", "", func(f *v1beta1.Flunder) { f.Spec.Image = "not a valid image!" })
	f := e.awaitReason("bad", v1beta1.ReasonInvalidImage)
	if ready := meta.FindStatusCondition(f.Status.Conditions, v1beta1.ConditionReady); !strings.Contains(ready.Message, "registry/repository:tag") {
		t.Errorf("the message %q does not say what to write", ready.Message)
	}
	for name, edit := range map[string]func(*v1beta1.Flunder){
		"negative replicas":           func(f *v1beta1.Flunder) { f.Spec.Replicas = ptr.To[int32](-1) },
		"no image":                    func(f *v1beta1.Flunder) { f.Spec.Image = "" },
		"a reference that is no name": func(f *v1beta1.Flunder) { f.Spec.FlunderReference = "Not A Name" },
		"a long name":                 func(f *v1beta1.Flunder) { f.Name = strings.Repeat("x", 64) },
	} {
		f := &v1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Name: "rejected"}, Spec: v1beta1.FlunderSpec{Image: "app"}}
		edit(f)
		_, err := e.wardle.WardleV1beta1().Flunders(e.namespace).Create(t.Context(), f, metav1.CreateOptions{})
		if !apierrors.IsInvalid(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestADeploymentOfSomeoneElseIsLeftAloneAndReported(t *testing.T) {
	e := newEnv(t)
	e.rollOut()
	labels := map[string]string{"app": "theirs"}
	theirs, err := e.kube.AppsV1().Deployments(e.namespace).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "taken"},
		Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "theirs"}}},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e.runController(1)
	e.create("taken", "")
	e.awaitReason("taken", v1beta1.ReasonDeploymentConflict)
	after := e.deployment("taken")
	if after.Generation != theirs.Generation || len(after.OwnerReferences) != 0 || after.Spec.Template.Spec.Containers[0].Image != "theirs" {
		t.Errorf("their Deployment was changed: %+v", after)
	}
	if err := e.kube.AppsV1().Deployments(e.namespace).Delete(t.Context(), "taken", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	e.awaitReason("taken", v1beta1.ReasonAvailable)
}

func TestAFlunderAtRestCausesNoRequest(t *testing.T) {
	e := newEnv(t)
	e.rollOut()
	e.create("a", "")
	e.create("b", "a")
	e.create("bad", "", func(f *v1beta1.Flunder) { f.Spec.Image = "no!" })
	e.create("ping", "ping")
	r := e.runController(2)
	e.awaitReason("b", v1beta1.ReasonAvailable)
	e.awaitReason("bad", v1beta1.ReasonInvalidImage)
	e.awaitReason("ping", v1beta1.ReasonReferenceCycle)
	// A marker goes through the queue after all that is still in it: when it is settled, so is the rest.
	e.create("marker", "")
	e.awaitReason("marker", v1beta1.ReasonAvailable)
	e.settled(r)

	before, reconciles := r.requests.n.Load(), r.Stats()
	// Labels change nothing that the controller would write, but each wakes the reconciler.
	for range 5 {
		for _, name := range []string{"a", "b", "bad", "ping"} {
			e.patch(name, `{"metadata":{"labels":{"touched":"`+string(e.get(name).UID[:8])+e.get(name).ResourceVersion+`"}}}`)
		}
	}
	e.eventually("each touch is reconciled", func() bool { return r.Stats().Done >= reconciles.Done+20 })
	if n := r.requests.n.Load() - before; n != 0 {
		r.requests.mu.Lock()
		defer r.requests.mu.Unlock()
		t.Errorf("%d requests at rest: %q", n, r.requests.seen[before:])
	}
	if errs := r.Stats().Failures(); errs != 0 {
		t.Errorf("%d reconciles failed", errs)
	}
}

// TestARestartWritesNothingToFlundersAtRest reconciles objects that are as they should be: a new process
// sees each of them for the first time.
func TestARestartWritesNothingToFlundersAtRest(t *testing.T) {
	e := newEnv(t)
	e.rollOut()
	e.create("a", "", func(f *v1beta1.Flunder) { f.Spec.Replicas = ptr.To[int32](0) })
	e.create("b", "a")
	e.create("bad", "", func(f *v1beta1.Flunder) { f.Spec.Image = "no!" })
	first := e.runController(2)
	e.awaitReason("b", v1beta1.ReasonAvailable)
	e.awaitReason("bad", v1beta1.ReasonInvalidImage)
	e.settled(first)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	before := []*v1beta1.Flunder{e.get("a"), e.get("b"), e.get("bad")}

	second := e.runController(2)
	e.eventually("each is reconciled", func() bool { return second.Stats().Done >= 3 })
	e.settled(second)
	second.requests.mu.Lock()
	defer second.requests.mu.Unlock()
	for _, request := range second.requests.seen {
		if !strings.HasPrefix(request, http.MethodGet+" ") || !strings.HasSuffix(request, "s") { // the lists of the caches
			t.Errorf("a restart made the request %s", request)
		}
	}
	for _, f := range before {
		if after := e.get(f.Name); after.ResourceVersion != f.ResourceVersion {
			t.Errorf("%s was changed by the restart: from %+v to %+v", f.Name, f.Status, after.Status)
		}
	}
}

// settled waits until the controller has made no request and no reconcile for a while: there is nothing
// else to see of a queue that is empty.
func (e *env) settled(r *controllerRun) {
	e.Helper()
	var requests, done int64
	quiet := 0
	e.eventually("the controller is at rest", func() bool {
		quiet++
		if r.requests.n.Load() != requests || r.Stats().Done != done {
			requests, done, quiet = r.requests.n.Load(), r.Stats().Done, 0
		}
		return quiet >= 25
	})
}

func (e *env) patch(name, patch string) {
	e.Helper()
	if _, err := e.wardle.WardleV1beta1().Flunders(e.namespace).Patch(e.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		e.Fatal(err)
	}
}

func (e *env) deployment(name string) *appsv1.Deployment {
	e.Helper()
	d, err := e.kube.AppsV1().Deployments(e.namespace).Get(e.Context(), name, metav1.GetOptions{})
	if err != nil {
		e.Fatal(err)
	}
	return d
}
