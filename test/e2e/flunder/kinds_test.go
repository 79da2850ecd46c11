// SPDX-License-Identifier: Apache-2.0

package flunder_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
)

// The kinds of these tests, of which no Go type is used.
var (
	flunderKind    = schema.GroupKind{Group: v1beta1.GroupName, Kind: "Flunder"}
	flunders       = v1beta1.SchemeGroupVersion.WithResource("flunders")
	deploymentKind = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	deployments    = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	configMapKind  = schema.GroupKind{Kind: "ConfigMap"}
	configMaps     = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
)

func (e *env) unstructured(m *controller.Manager, resource schema.GroupVersionResource, kind schema.GroupKind) cache.TypedSharedIndexInformer[*unstructured.Unstructured] {
	client := dynamic.NewForConfigOrDie(m.Config())
	informer := dynamicinformer.NewFilteredDynamicInformer(client, resource, e.namespace, 0, cache.Indexers{}, nil).Informer()
	return controller.Standalone[*unstructured.Unstructured](informer, controller.InformerOptions{Kind: kind})
}

func (e *env) metadata(m *controller.Manager, resource schema.GroupVersionResource, kind schema.GroupKind) cache.TypedSharedIndexInformer[*metav1.PartialObjectMetadata] {
	client := metadata.NewForConfigOrDie(m.Config())
	informer := metadatainformer.NewFilteredMetadataInformer(client, resource, e.namespace, 0, cache.Indexers{}, nil).Informer()
	return controller.Standalone[*metav1.PartialObjectMetadata](informer, controller.InformerOptions{Kind: kind})
}

// runOf runs a manager until the test ends.
func (e *env) runOf(m *controller.Manager) {
	(&controllerRun{Manager: m, done: make(chan struct{})}).start(e)
}

// applyOwned makes a Deployment with a controlling owner.
func (e *env) applyOwned(name, apiVersion, kind string, owner *v1beta1.Flunder) {
	e.Helper()
	labels := map[string]string{"app": name}
	deployment := appsv1ac.Deployment(name, e.namespace).
		WithOwnerReferences(metav1ac.OwnerReference().WithAPIVersion(apiVersion).WithKind(kind).WithName(owner.Name).WithUID(owner.UID).WithController(true)).
		WithSpec(appsv1ac.DeploymentSpec().WithReplicas(0).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(labels)).
			WithTemplate(corev1ac.PodTemplateSpec().WithLabels(labels).
				WithSpec(corev1ac.PodSpec().WithContainers(corev1ac.Container().WithName("a").WithImage("a")))))
	if _, err := e.kube.AppsV1().Deployments(e.namespace).Apply(e.Context(), deployment, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
		e.Fatal(err)
	}
}

// TestC30UnstructuredAndMetadataOnlyObjectsOnTheAPIServer is the proof that what the clients of client-go deliver has
// the kinds that the manager was told: New with either, and Owns and Watches with the other.
func TestC30UnstructuredAndMetadataOnlyObjectsOnTheAPIServer(t *testing.T) {
	t.Run("New unstructured, Owns and Watches metadata", func(t *testing.T) {
		e := newEnv(t)
		m := controller.NewManager(plane.Config(), controller.ManagerOptions{})
		testKinds(e, m, e.unstructured(m, flunders, flunderKind), e.metadata(m, deployments, deploymentKind), e.metadata(m, configMaps, configMapKind))
	})
	t.Run("New metadata, Owns and Watches unstructured", func(t *testing.T) {
		e := newEnv(t)
		m := controller.NewManager(plane.Config(), controller.ManagerOptions{})
		testKinds(e, m, e.metadata(m, flunders, flunderKind), e.unstructured(m, deployments, deploymentKind), e.unstructured(m, configMaps, configMapKind))
	})
}

func testKinds[T, O controller.Object](
	e *env, m *controller.Manager, main cache.TypedSharedIndexInformer[T], owned, watched cache.TypedSharedIndexInformer[O],
) {
	e.Helper()
	f := e.create("a", "")
	var woken, ownedSeen, watchedSeen atomic.Int64
	c := controller.New(m, "c", main, func(_ context.Context, object T) (controller.Result, error) {
		if object.GetName() == "a" {
			woken.Add(1)
		}
		return controller.Result{}, nil
	}, controller.Options{})
	controller.Owns(c, owned, controller.WithFilter(func(context.Context, controller.Event[O]) bool { ownedSeen.Add(1); return true }))
	controller.Watches(c, watched, func(_ context.Context, object O) []controller.Request {
		watchedSeen.Add(1)
		return []controller.Request{{Namespace: object.GetNamespace(), Name: object.GetLabels()["for"]}}
	})
	e.runOf(m)
	e.eventually("the Flunder is reconciled", func() bool { return m.Ready() == nil && woken.Load() > 0 })
	step := func(what string, seen *atomic.Int64, wakes bool, do func()) {
		e.Helper()
		events, before := seen.Load(), woken.Load()
		do()
		e.eventually(what+": seen", func() bool { return seen.Load() > events })
		if wakes {
			e.eventually(what+": the Flunder is reconciled again", func() bool { return woken.Load() > before })
		}
	}
	step("an owned Deployment", &ownedSeen, true, func() { e.applyOwned("owned", v1beta1.SchemeGroupVersion.String(), "Flunder", f) })
	step("owned by another version", &ownedSeen, true, func() { e.applyOwned("version", v1beta1.GroupName+"/v7", "Flunder", f) })
	before := woken.Load()
	step("owned by another group's kind", &ownedSeen, false, func() { e.applyOwned("group", "other.example.com/v1beta1", "Flunder", f) })
	step("owned by another kind", &ownedSeen, false, func() { e.applyOwned("kind", v1beta1.SchemeGroupVersion.String(), "Blunder", f) })
	step("a watched ConfigMap", &watchedSeen, true, func() {
		cm := corev1ac.ConfigMap("watched", e.namespace).WithLabels(map[string]string{"for": "a"})
		if _, err := e.kube.CoreV1().ConfigMaps(e.namespace).Apply(e.Context(), cm, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
			e.Fatal(err)
		}
	})
	if n := woken.Load() - before; n != 1 { // a reconcile for the strangers would have come before that for the ConfigMap
		e.Errorf("two strangers and a ConfigMap led to %d reconciles", n)
	}
}

// TestC30AWrongStatementIsFoundOnTheAPIServer in place of a controller that is deaf.
func TestC30AWrongStatementIsFoundOnTheAPIServer(t *testing.T) {
	e := newEnv(t)
	e.create("a", "")
	m := controller.NewManager(plane.Config(), controller.ManagerOptions{})
	controller.New(m, "c", e.unstructured(m, flunders, schema.GroupKind{Group: "wardle.k8s.io", Kind: "Flunder"}),
		func(context.Context, *unstructured.Unstructured) (controller.Result, error) {
			return controller.Result{}, nil
		}, controller.Options{})
	err := m.Run(quiet(t.Context()))
	for _, want := range []string{"Flunder.wardle.k8s.io", "Flunder.wardle.example.com"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run returned %v, want %q in it", err, want)
		}
	}
}
