// SPDX-License-Identifier: Apache-2.0

package virtualtest_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

// events returns what a watch has sent until now, as words.
func events(t *testing.T, w watch.Interface) []string {
	t.Helper()
	synctest.Wait()
	var all []string
	for {
		select {
		case e, open := <-w.ResultChan():
			if !open {
				return append(all, "end")
			}
			text := string(e.Type)
			if o, ok := e.Object.(metav1.Object); ok && e.Type != watch.Bookmark {
				text += " " + o.GetName()
			}
			if s, ok := e.Object.(*metav1.Status); ok {
				text += " " + string(s.Reason)
			}
			if o, ok := e.Object.(metav1.Object); ok && o.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true" {
				text += " of the start"
			}
			all = append(all, text)
			synctest.Wait()
		default:
			return all
		}
	}
}

func expect(t *testing.T, w watch.Interface, want ...string) {
	t.Helper()
	if got := events(t, w); !slices.Equal(got, want) {
		t.Errorf("the watch sent %q, want %q", got, want)
	}
}

func TestAWatchStartsWhereItIsToldTo(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		maps := client.CoreV1().ConfigMaps("shop")
		api.Create(configMap("a"), configMap("b"))
		list, err := maps.List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		open := func(options metav1.ListOptions) watch.Interface {
			w, err := maps.Watch(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(w.Stop)
			return w
		}
		plain := open(metav1.ListOptions{})
		initial := open(metav1.ListOptions{
			SendInitialEvents: ptr.To(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		})
		later := open(metav1.ListOptions{ResourceVersion: list.ResourceVersion})
		expect(t, plain, "ADDED a", "ADDED b")
		expect(t, initial, "ADDED a", "ADDED b", "BOOKMARK of the start")
		expect(t, later)
		other := configMap("c")
		other.Namespace = "elsewhere"
		api.Create(configMap("c"), other)
		api.Delete(configMap("a"))
		for _, w := range []watch.Interface{plain, initial, later} {
			expect(t, w, "ADDED c", "DELETED a")
		}
		time.Sleep(time.Minute)
		expect(t, initial, "BOOKMARK")
		expect(t, later)
		if _, err := maps.Watch(t.Context(), metav1.ListOptions{SendInitialEvents: ptr.To(true)}); !apierrors.IsBadRequest(err) {
			t.Errorf("initial events without a match: %v", err)
		}
		ahead := metav1.ListOptions{ResourceVersion: "1000000"}
		if _, err := maps.List(t.Context(), ahead); !apierrors.IsTimeout(err) || !apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
			t.Errorf("a list of the future: %v", err)
		}
	})
}

func TestAWatchEndsWithItsContextItsTimeOrTheServer(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		maps := client.CoreV1().ConfigMaps("")
		ctx, cancel := context.WithCancel(t.Context())
		cancelled, err := maps.Watch(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		timed, err := maps.Watch(t.Context(), metav1.ListOptions{TimeoutSeconds: ptr.To(int64(90))})
		if err != nil {
			t.Fatal(err)
		}
		cut, err := maps.Watch(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		expect(t, cancelled, "ERROR InternalError", "end") // of client-go, whose read of the answer was cancelled
		time.Sleep(89 * time.Second)
		expect(t, timed)
		time.Sleep(time.Second)
		expect(t, timed, "end")
		expect(t, cut)
		api.EndWatches()
		expect(t, cut, "end")
	})
}

func TestAWatchFromBeforeACompactionIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		api.Create(configMap("a"))
		maps := client.CoreV1().ConfigMaps("shop")
		before, err := maps.List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		api.Compact()
		old, err := maps.Watch(t.Context(), metav1.ListOptions{ResourceVersion: before.ResourceVersion})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, old, "ERROR Expired", "end")
		after, err := maps.List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := maps.Watch(t.Context(), metav1.ListOptions{ResourceVersion: after.ResourceVersion})
		if err != nil {
			t.Fatal(err)
		}
		defer fresh.Stop()
		api.Create(configMap("b"))
		expect(t, fresh, "ADDED b")
	})
}

func TestSelectorsHoldForObjectsThatComeToMatch(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		labelled, err := client.CoreV1().ConfigMaps("shop").Watch(t.Context(), metav1.ListOptions{LabelSelector: "in=yes"})
		if err != nil {
			t.Fatal(err)
		}
		defer labelled.Stop()
		resources := dynamic.NewForConfigOrDie(api.Config()).Resource(widgets("v1")).Namespace("shop")
		red, err := resources.Watch(t.Context(), metav1.ListOptions{FieldSelector: "spec.color=red"})
		if err != nil {
			t.Fatal(err)
		}
		defer red.Stop()
		cm, w := configMap("a"), widget("w", "blue")
		api.Create(cm, w)
		expect(t, labelled)
		cm.Labels = map[string]string{"in": "yes"}
		api.Update(cm)
		cm.Data = map[string]string{"k": "v"}
		api.Update(cm)
		cm.Labels = nil
		api.Update(cm)
		api.Delete(cm)
		expect(t, labelled, "ADDED a", "MODIFIED a", "DELETED a")
		if err := unstructured.SetNestedField(w.Object, "red", "spec", "color"); err != nil {
			t.Fatal(err)
		}
		api.Update(w)
		expect(t, red, "ADDED w")
		list, err := resources.List(t.Context(), metav1.ListOptions{FieldSelector: "spec.color!=red"})
		if err != nil || len(list.Items) != 0 {
			t.Errorf("%v, %v", list, err)
		}
	})
}

// TestAnInformerSurvivesAllThatAServerDoes with the reflector of client-go, which streams its list.
func TestAnInformerSurvivesAllThatAServerDoes(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		api.Create(configMap("a"))
		factory := informers.NewSharedInformerFactory(client, 0)
		lister := factory.Core().V1().ConfigMaps().Lister()
		ctx, cancel := context.WithCancel(t.Context())
		defer factory.Shutdown()
		defer cancel()
		factory.Start(ctx.Done())
		count := func(when string, want int) {
			t.Helper()
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			all, err := lister.ConfigMaps("shop").List(labels.Everything())
			if err != nil || len(all) != want {
				t.Errorf("%s: %d ConfigMaps, %v, want %d", when, len(all), err, want)
			}
		}
		count("at the start", 1)
		if calls := api.Calls(); len(calls) != 1 || calls[0].Verb != "watch" {
			t.Errorf("the list is not streamed: %v", calls)
		}
		api.EndWatches()
		api.Create(configMap("b"))
		count("after the end of the watches", 2)
		api.Compact()
		api.EndWatches()
		api.Delete(&corev1.ConfigMap{ObjectMeta: configMap("a").ObjectMeta})
		count("after a compaction", 1)
		time.Sleep(24 * time.Hour)
		api.Create(configMap("c"))
		count("a day later", 2)
	})
}
