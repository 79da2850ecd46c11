// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

// setting is the Go type of a generated clientset's kind: client-go's scheme does not know it, and its
// name is not its kind.
type setting struct{ corev1.ConfigMap }

func (s *setting) DeepCopyObject() runtime.Object {
	return &setting{ConfigMap: *s.DeepCopy()}
}

func settingInformer() cache.TypedSharedIndexInformer[*setting] {
	shared := cache.NewSharedIndexInformer(&cache.ListWatch{}, &setting{}, 0, cache.Indexers{})
	return controller.Standalone[*setting](shared, controller.InformerOptions{})
}

func reconcileSetting(context.Context, *setting) (controller.Result, error) {
	return controller.Result{}, nil
}

// schemeWith returns a scheme in which the Go type setting has these kinds.
func schemeWith(kinds ...schema.GroupVersionKind) *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, kind := range kinds {
		scheme.AddKnownTypeWithName(kind, &setting{})
	}
	return scheme
}

// TestC30WhatHasNoKnownKindIsRefusedAtTheSetUp is what is right in cases 3 and 5 without WithKind.
func TestC30WhatHasNoKnownKindIsRefusedAtTheSetUp(t *testing.T) {
	settings := schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Settings"}
	newSetting := func(m *controller.Manager) {
		controller.New(m, "c", settingInformer(), reconcileSetting, controller.Options{})
	}
	configMaps := func(m *controller.Manager, w *world) *controller.Controller[*corev1.ConfigMap] {
		return controller.New(m, "c", w.informer(), nothing, controller.Options{})
	}
	for name, test := range map[string]struct {
		scheme *runtime.Scheme
		add    func(*controller.Manager, *world)
		want   []string
	}{
		"New, unstructured": {nil, func(m *controller.Manager, _ *world) {
			controller.New(m, "c", dynamicInformer(dynamicClient(), apps), reconcileOf[*unstructured.Unstructured](nil), controller.Options{})
		}, []string{`controller "c"`, "*unstructured.Unstructured", "controller.WithKind"}},
		"Owns, metadata": {nil, func(m *controller.Manager, w *world) {
			controller.Owns(configMaps(m, w), partialInformer(metadataClient(t), jobs))
		}, []string{`controller "c"`, "controller.WithKind"}},
		"Watches, unstructured": {nil, func(m *controller.Manager, w *world) {
			controller.Watches(configMaps(m, w), dynamicInformer(dynamicClient(), jobs),
				func(context.Context, *unstructured.Unstructured) []controller.Request { return nil })
		}, []string{`controller "c"`, "controller.WithKind"}},
		"a type in no scheme": {nil, func(m *controller.Manager, _ *world) { newSetting(m) },
			[]string{"no scheme has", "Manager.AddScheme", "controller.WithKind"}},
		"a type of two kinds": {
			schemeWith(settings, schema.GroupVersionKind{Group: "other.example.com", Version: "v1", Kind: "Setting"}),
			func(m *controller.Manager, _ *world) { newSetting(m) },
			[]string{"several kinds (Setting.other.example.com, Settings.example.com)", "controller.WithKind"},
		},
		"WithKind without a kind": {nil, func(m *controller.Manager, w *world) {
			controller.New(m, "c", w.informer(), nothing, controller.Options{}, controller.WithKind[*configMapType](schema.GroupKind{Group: "apps"}))
		}, []string{"has the group \"apps\" and no name"}},
		"AddInformer, unstructured": {nil, func(m *controller.Manager, _ *world) {
			m.AddInformer(dynamicInformer(dynamicClient(), jobs), controller.InformerOptions{})
		}, []string{"AddInformer", "*unstructured.Unstructured", "InformerOptions.Kind"}},
		"AddInformer, a type in no scheme": {nil, func(m *controller.Manager, _ *world) {
			m.AddInformer(settingInformer(), controller.InformerOptions{})
		}, []string{"no scheme has a type *controller_test.setting", "Manager.AddScheme", "InformerOptions.Kind"}},
		"AddInformer, a name of two types": {nil, func(m *controller.Manager, _ *world) {
			m.AddInformer(cache.NewSharedIndexInformer(&cache.ListWatch{}, &corev1.Event{}, 0, nil), controller.InformerOptions{})
		}, []string{"*v1.Event is the type of several kinds (Event, Event.events.k8s.io)", "InformerOptions.Kind"}},
		"a group without a kind": {nil, func(m *controller.Manager, w *world) {
			m.AddInformer(w.informer(), controller.InformerOptions{Kind: schema.GroupKind{Group: "apps"}})
		}, []string{"has the group \"apps\" and no name"}},
		"two kinds for one informer": {nil, func(m *controller.Manager, _ *world) {
			informer := dynamicInformer(dynamicClient(), jobs)
			m.AddInformer(informer, controller.InformerOptions{Kind: jobKind})
			m.AddInformer(informer, controller.InformerOptions{Kind: appKind})
		}, []string{"Job.example.com", "App.example.com", "state the same kind"}},
		"two Go types for one informer": {nil, func(m *controller.Manager, _ *world) {
			informer := dynamicInformer(dynamicClient(), apps)
			controller.New(m, "c", informer, reconcileOf[*unstructured.Unstructured](nil), controller.Options{}, controller.WithKind[*unstructured.Unstructured](appKind))
			controller.New(m, "d", controller.Standalone[*metav1.PartialObjectMetadata](informer, controller.InformerOptions{}), reconcileOf[*metav1.PartialObjectMetadata](nil), controller.Options{})
		}, []string{"App.example.com", "*unstructured.Unstructured", "*v1.PartialObjectMetadata", "the same Go type"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.onList = func(context.Context) error { t.Error("listed"); return nil }
				m := newManager(controller.ManagerOptions{})
				if test.scheme != nil {
					m.AddScheme(test.scheme)
				}
				test.add(m, w)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err := m.Run(ctx)
				for _, want := range test.want {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("the error does not have %q:\n%v", want, err)
					}
				}
			})
		})
	}
}

// TestC30TheSchemeOfTheManagerTellsTheKindOfAGeneratedType whose name is not its kind: case 5.
func TestC30TheSchemeOfTheManagerTellsTheKindOfAGeneratedType(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.Add(&setting{ConfigMap: *configMap("owner")})
		others := newWorld(t)
		shared := cache.NewSharedIndexInformer(noWatchList{&cache.ListWatch{
			ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) { return w.List(metav1.ListOptions{}) },
			WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) {
				return w.Watch(metav1.ListOptions{})
			},
		}}, &setting{}, 0, cache.Indexers{})
		m := newManager(controller.ManagerOptions{})
		m.AddScheme(schemeWith(
			schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Settings"},
			schema.GroupVersionKind{Group: "example.com", Version: "v2", Kind: "Settings"},
		))
		counts := newWoken("owner")
		c := controller.New(m, "c", controller.Standalone[*setting](shared, controller.InformerOptions{}), reconcileOf[*setting](counts), controller.Options{})
		controller.Owns(c, others.informer())
		start(t, t.Context(), m)
		counts.expect(t, "at the start", map[string]int32{"owner": 1})
		for name, owner := range map[string][]string{
			"by its kind": {"example.com/v1", "Settings"}, "by its Go type": {"example.com/v1", "setting"}, "by its embedded type": {"v1", "ConfigMap"},
		} {
			owned := configMap("owned " + name)
			owned.OwnerReferences = customObject(appKind, "x", owner[0], owner[1], "owner").GetOwnerReferences()
			others.Add(owned)
		}
		counts.expect(t, "one of three has the kind of the owner", map[string]int32{"owner": 2})
	})
}

// TestC30AnInformerIsTheSameThroughAnyWrapper for unstructured and metadata-only objects too.
func TestC30AnInformerIsTheSameThroughAnyWrapper(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := dynamicClient(customObject(appKind, "a"), customObject(appKind, "b"))
		resource := dynamicinformer.NewDynamicSharedInformerFactory(client, 0).ForResource(apps)
		wrapped := func() unstructuredInformer {
			return controller.Standalone[*unstructured.Unstructured](resource.Informer(), controller.InformerOptions{})
		}
		reader, telemetry := measured()
		m := newManager(controller.ManagerOptions{Telemetry: telemetry})
		m.AddInformer(resource.Informer(), controller.InformerOptions{Kind: appKind, KeepManagedFields: true})
		c := controller.New(m, "c", wrapped(), reconcileOf[*unstructured.Unstructured](newWoken("a", "b")), controller.Options{})
		controller.Owns(c, wrapped())
		start(t, t.Context(), m)
		synctest.Wait()
		if err := m.Ready(); err != nil {
			t.Error(err)
		}
		lists := 0
		for _, action := range client.Actions() {
			if action.GetVerb() == "list" {
				lists++
			}
		}
		objects := values(t, reader, "lanyard.cache.objects")
		if want := map[string]float64{"App.example.com": 2}; lists != 1 || !maps.Equal(objects, want) {
			t.Errorf("%d lists, and the caches are %v, want %v", lists, objects, want)
		}
	})
}

// TestC30MetadataOnlyCachesOfTwoKindsAreTwoSeries is case 38.
func TestC30MetadataOnlyCachesOfTwoKindsAreTwoSeries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := metadataClient(t, metadataOf(customObject(appKind, "a")), metadataOf(customObject(jobKind, "b")), metadataOf(customObject(jobKind, "c")))
		reader, telemetry := measured()
		m := newManager(controller.ManagerOptions{Telemetry: telemetry})
		m.AddInformer(partialInformer(client, apps), controller.InformerOptions{Kind: appKind})
		m.AddInformer(partialInformer(client, jobs), controller.InformerOptions{Kind: jobKind})
		start(t, t.Context(), m)
		synctest.Wait()
		want := map[string]float64{"App.example.com": 1, "Job.example.com": 2}
		if objects := values(t, reader, "lanyard.cache.objects"); !maps.Equal(objects, want) {
			t.Errorf("the objects are %v, want %v", objects, want)
		}
	})
}

// TestC30ObjectsThatAreNotWhatTheSetUpSaysEndTheManager because a controller of the wrong kind would be
// deaf to its owned objects.
func TestC30ObjectsThatAreNotWhatTheSetUpSaysEndTheManager(t *testing.T) {
	for name, test := range map[string]struct {
		add  func(*controller.Manager)
		want []string
	}{
		"another kind": {func(m *controller.Manager) {
			client := dynamicClient(customObject(appKind, "a"))
			controller.New(m, "c", dynamicInformer(client, apps), reconcileOf[*unstructured.Unstructured](newWoken("a")),
				controller.Options{}, controller.WithKind[*unstructured.Unstructured](jobKind))
		}, []string{"Job.example.com", `schema.GroupKind{Group:"example.com", Kind:"App"}`}},
		"another Go type in a typed informer": {func(m *controller.Manager) {
			informer := dynamicInformer(dynamicClient(customObject(appKind, "a")), apps)
			controller.New(m, "c", controller.Standalone[*corev1.ConfigMap](informer, controller.InformerOptions{}), nothing, controller.Options{})
		}, []string{"ConfigMap", "*v1.ConfigMap", "gets *unstructured.Unstructured"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				m := newManager(controller.ManagerOptions{})
				test.add(m)
				r := start(t, t.Context(), m)
				select {
				case <-r.done:
				case <-time.After(time.Minute):
					t.Fatal("the manager goes on")
				}
				for _, want := range test.want {
					if r.err == nil || !strings.Contains(r.err.Error(), want) {
						t.Errorf("the error does not have %q:\n%v", want, r.err)
					}
				}
			})
		})
	}
}
