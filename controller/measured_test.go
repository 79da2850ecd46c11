// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	corev1informers "k8s.io/client-go/informers/core/v1"
	eventsv1informers "k8s.io/client-go/informers/events/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
)

// measured are options that have everything measured.
func measured() (*sdkmetric.ManualReader, controller.Telemetry) {
	reader := sdkmetric.NewManualReader()
	return reader, controller.Telemetry{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))}
}

// values are what a gauge or counter says now, by the value of its only label.
func values(t *testing.T, reader sdkmetric.Reader, name string) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, metrics := range scope.Metrics {
			if metrics.Name != name {
				continue
			}
			switch data := metrics.Data.(type) {
			case metricdata.Gauge[int64]:
				add(found, data.DataPoints)
			case metricdata.Gauge[float64]:
				add(found, data.DataPoints)
			case metricdata.Sum[int64]:
				add(found, data.DataPoints)
			}
		}
	}
	return found
}

func add[N int64 | float64](found map[string]float64, points []metricdata.DataPoint[N]) {
	for _, point := range points {
		label := ""
		for _, a := range point.Attributes.ToSlice() {
			label += a.Value.String()
		}
		found[label] = float64(point.Value)
	}
}

func TestAFormerLeaderHasNothingInItsQueueWhileItStandsBy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, world := &leaseAPI{}, newWorld(t)
		world.add("asks")
		reader, telemetry := measured()
		m := newManager(controller.ManagerOptions{LeaderElection: elect(api, "a"), Telemetry: telemetry})
		controller.New(m, "c", world.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cm.Name == "asks" {
				return controller.Result{RequeueAfter: 10 * time.Minute}, nil
			}
			<-ctx.Done()
			return controller.Result{}, ctx.Err()
		}, controller.Options{Timeout: 24 * time.Hour})
		check := func(when string, depth, oldest float64) {
			t.Helper()
			synctest.Wait()
			if got := values(t, reader, "lanyard.queue.depth")["c"]; got != depth {
				t.Errorf("%s the depth is %v, want %v", when, got, depth)
			}
			if got := values(t, reader, "lanyard.queue.oldest")["c"]; got != oldest {
				t.Errorf("%s the oldest item has waited for %v s, want %v s", when, got, oldest)
			}
		}
		start(t, t.Context(), m)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		began := time.Now()
		world.add("holds", "waits", "waits too")
		time.Sleep(time.Minute)
		check("in the term", 2, time.Since(began).Seconds())

		ends["taken"].do(api)
		api.setDown(true) // so that it does not lead again
		check("at the term's end", 0, 0)
		for range 5 {
			time.Sleep(time.Hour)
			check("long after it", 0, 0)
		}
		if report, ok := m.LastTerm(); !ok || report.Queued["c"] != 2 {
			t.Errorf("the term's report counts %v", report.Queued)
		}

		again := time.Now()
		api.setDown(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if depth, oldest := values(t, reader, "lanyard.queue.depth")["c"], values(t, reader, "lanyard.queue.oldest")["c"]; depth < 2 || oldest == 0 || oldest > time.Since(again).Seconds() {
			t.Errorf("a minute into the next term the depth is %v, and the oldest item has waited for %v s", depth, oldest)
		}
	})
}

// TestReconcilesInFlightAreCounted, and neither the controllers nor runnables.
func TestReconcilesInFlightAreCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		world, idle := newWorld(t), newWorld(t)
		reader, telemetry := measured()
		m := newManager(controller.ManagerOptions{Telemetry: telemetry})
		controller.New(m, "c", world.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			time.Sleep(time.Minute)
			return controller.Result{}, nil
		}, controller.Options{Workers: 3, Timeout: time.Hour})
		controller.New(m, "idle", idle.informer(), nothing, controller.Options{})
		m.AddRunnable("sweeper", func(ctx context.Context) error { <-ctx.Done(); return nil })
		start(t, t.Context(), m)
		for _, names := range [][]string{nil, {"a", "b"}, {"a", "b", "c"}, {"a", "b", "c", "d"}} {
			for _, name := range names {
				world.Modify(configMap(name))
			}
			synctest.Wait()
			want := map[string]float64{"c": min(3, float64(len(names))), "idle": 0}
			if got := values(t, reader, "lanyard.reconcile.in_flight"); !maps.Equal(got, want) {
				t.Errorf("with %d objects to reconcile there are %v in flight, want %v", len(names), got, want)
			}
			time.Sleep(5 * time.Minute)
		}
	})
}

func TestAnItemThatAsksForALaterTimeIsNotTheOldestBeforeIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		world := newWorld(t)
		world.add("asks")
		reader, telemetry := measured()
		m := newManager(controller.ManagerOptions{Telemetry: telemetry})
		asked := time.Time{}
		controller.New(m, "c", world.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			if !asked.IsZero() {
				<-ctx.Done()
				return controller.Result{}, ctx.Err()
			}
			asked = time.Now()
			return controller.Result{RequeueAfter: time.Hour}, nil
		}, controller.Options{Timeout: 24 * time.Hour})
		start(t, t.Context(), m)
		synctest.Wait()
		for range 10 {
			time.Sleep(7 * time.Minute)
			synctest.Wait()
			if oldest := values(t, reader, "lanyard.queue.oldest")["c"]; oldest != 0 {
				t.Errorf("%v after it asked for an hour the oldest item has waited for %v s", time.Since(asked), oldest)
			}
		}
	})
}

// cluster has two objects of each kind in each namespace. It sends something for what it watches
// each minute, unless the namespace is "dead".
type cluster struct{}

func (cluster) RoundTrip(req *http.Request) (*http.Response, error) {
	answer := func(code int, body io.ReadCloser) (*http.Response, error) {
		return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: req}, nil
	}
	path, query := req.URL.Path, req.URL.Query()
	meta := map[string]any{"kind": "ConfigMap", "apiVersion": "v1"}
	switch {
	case strings.HasPrefix(path, "/apis/events.k8s.io/"):
		meta = map[string]any{"kind": "Event", "apiVersion": "events.k8s.io/v1"}
	case strings.HasSuffix(path, "/events"):
		meta = map[string]any{"kind": "Event", "apiVersion": "v1"}
	}
	object := func(name string) map[string]any {
		o := maps.Clone(meta)
		o["metadata"] = map[string]any{"name": name, "namespace": "n", "resourceVersion": "1"}
		return o
	}
	if query.Get("sendInitialEvents") != "" {
		return answer(http.StatusBadRequest, io.NopCloser(strings.NewReader(`{"kind":"Status","apiVersion":"v1","code":400,"reason":"BadRequest"}`)))
	}
	if query.Get("watch") == "" {
		list := maps.Clone(meta)
		list["kind"], list["metadata"], list["items"] = fmt.Sprint(meta["kind"], "List"), map[string]any{"resourceVersion": "1"}, []any{object("x"), object("y")}
		text, err := json.Marshal(list)
		return (&http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(string(text))), Request: req}), err
	}
	reader, writer := io.Pipe()
	go func() {
		for {
			select {
			case <-req.Context().Done():
				writer.CloseWithError(req.Context().Err())
				return
			case <-time.After(time.Minute):
			}
			if !strings.Contains(path, "/dead/") {
				_ = json.NewEncoder(writer).Encode(map[string]any{"type": "BOOKMARK", "object": object("")})
			}
		}
	}()
	return answer(http.StatusOK, reader)
}

func TestCachesOfOneKindAreOneSeriesThatIsAsOldAsTheOldestAndKindsOfTwoGroupsAreTwo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		reader, telemetry := measured()
		m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: cluster{}}, controller.ManagerOptions{Telemetry: telemetry})
		client := kubernetes.NewForConfigOrDie(m.Config())
		for _, namespace := range []string{"dead", "alive"} {
			m.AddInformer(corev1informers.NewConfigMapInformer(client, namespace, 0, nil), controller.InformerOptions{})
		}
		core, events := schema.GroupKind{Kind: "Event"}, schema.GroupKind{Group: "events.k8s.io", Kind: "Event"}
		m.AddInformer(corev1informers.NewEventInformer(client, metav1.NamespaceAll, 0, nil), controller.InformerOptions{Kind: core})
		m.AddInformer(eventsv1informers.NewEventInformer(client, metav1.NamespaceAll, 0, nil), controller.InformerOptions{Kind: events})
		start(t, t.Context(), m)
		time.Sleep(4*time.Minute + 10*time.Second)
		synctest.Wait()
		objects, ages := values(t, reader, "lanyard.cache.objects"), values(t, reader, "lanyard.cache.age")
		if want := map[string]float64{"ConfigMap": 4, "Event": 2, "Event.events.k8s.io": 2}; !maps.Equal(objects, want) {
			t.Errorf("the objects are %v, want %v", objects, want)
		}
		if age := ages["ConfigMap"]; age < 240 {
			t.Errorf("nothing has come for one of the namespaces for 250 s, and the age is %v s", age)
		}
		for _, kind := range []string{"Event", "Event.events.k8s.io"} {
			if age, ok := ages[kind]; !ok || age > 60 {
				t.Errorf("the age of %s is %v s (%v), although something comes each minute", kind, age, ok)
			}
		}
	})
}

func TestTermsAreCountedFromZeroBeforeTheFirst(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `how` \\| (.*) \\| \\d+ \\|$").FindSubmatch(text)
	if row == nil {
		t.Fatal("docs/metrics.md does not say how terms end")
	}
	want := strings.Split(strings.ReplaceAll(string(row[1]), "`", ""), ", ")
	slices.Sort(want)
	bubble(t, func(t *testing.T) {
		api := &leaseAPI{}
		api.setDown(true)
		reader, telemetry := measured()
		m := newManager(controller.ManagerOptions{LeaderElection: elect(api, "a"), Telemetry: telemetry})
		start(t, t.Context(), m)
		synctest.Wait()
		if begun := values(t, reader, "lanyard.leader.terms"); !maps.Equal(begun, map[string]float64{"": 0}) {
			t.Errorf("before the first term there are %v", begun)
		}
		ended := values(t, reader, "lanyard.leader.terms.ended")
		if got := slices.Sorted(maps.Keys(ended)); !slices.Equal(got, want) {
			t.Errorf("before the first term the ends are of the kinds %v, want %v", got, want)
		}
		for how, n := range ended {
			if n != 0 {
				t.Errorf("%v terms are %s before the first", n, how)
			}
		}
		api.setDown(false)
		time.Sleep(30 * time.Second)
		if begun := values(t, reader, "lanyard.leader.terms"); begun[""] != 1 {
			t.Errorf("in the first term there are %v", begun)
		}
	})
}

func TestTermsAreNotCountedWithoutAnElection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		reader, telemetry := measured()
		start(t, t.Context(), newManager(controller.ManagerOptions{Telemetry: telemetry}))
		synctest.Wait()
		if begun := values(t, reader, "lanyard.leader.terms"); len(begun) != 0 {
			t.Errorf("there are %v", begun)
		}
	})
}
