// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// TestC22EachManagersSpansAndMetricsGoToItsOwnProviders has managers with different numbers of
// objects, for each of which they make a call. The last has no telemetry.
func TestC22EachManagersSpansAndMetricsGoToItsOwnProviders(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var exporters [2]*tracetest.InMemoryExporter
		var readers [2]*sdkmetric.ManualReader
		for i := range 3 {
			var telemetry controller.Telemetry
			if i < len(exporters) {
				exporters[i], readers[i] = tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
				telemetry.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporters[i]))
				telemetry.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(readers[i]))
			}
			w := newWorld(t)
			for n := range i + 1 {
				w.add(fmt.Sprintf("of-%d-%d", i, n))
			}
			m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: apiServer((&server{}).found)}, controller.ManagerOptions{Telemetry: telemetry})
			client := kubernetes.NewForConfigOrDie(m.Config()).CoreV1()
			controller.New(m, "the same name", w.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
				_, err := client.ConfigMaps(cm.Namespace).Get(ctx, cm.Name, metav1.GetOptions{})
				return controller.Result{}, err
			}, controller.Options{})
			start(t, t.Context(), m)
		}
		synctest.Wait()
		for i := range exporters {
			spans, objects := exporters[i].GetSpans(), uint64(i+1)
			if len(spans) != 2*int(objects) {
				t.Errorf("manager %d has %d spans, want one for each of %d reconciles and calls", i, len(spans), objects)
			}
			for _, span := range spans {
				about := attributeOf(span.Attributes, semconv.AttrObjectName) + attributeOf(span.Attributes, semconv.AttrName)
				if !strings.HasPrefix(about, fmt.Sprintf("of-%d-", i)) {
					t.Errorf("manager %d has the span %q about %q", i, span.Name, about)
				}
			}
			for _, name := range []string{"lanyard.reconcile.duration", "lanyard.api.call.duration", "lanyard.queue.wait"} {
				if n := counted(t, readers[i], name); n != objects {
					t.Errorf("manager %d has measured %d of %s, want %d", i, n, name, objects)
				}
			}
		}
	})
}

// TestACallOfAPathIsMeasuredWithoutIt: their number is not bounded.
func TestACallOfAPathIsMeasuredWithoutIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, reader := newWorld(t), sdkmetric.NewManualReader()
		w.add("a")
		m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: apiServer((&server{}).found)}, controller.ManagerOptions{
			Telemetry: controller.Telemetry{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))},
		})
		client := kubernetes.NewForConfigOrDie(m.Config()).CoreV1()
		controller.New(m, "c", w.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			_, err := client.ConfigMaps(cm.Namespace).Get(ctx, cm.Name, metav1.GetOptions{})
			return controller.Result{}, errors.Join(err, client.RESTClient().Get().AbsPath("/of", cm.Name).Do(ctx).Error())
		}, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		var resources []string
		for _, metrics := range all.ScopeMetrics[0].Metrics {
			if h, ok := metrics.Data.(metricdata.Histogram[float64]); ok && metrics.Name == "lanyard.api.call.duration" {
				for _, point := range h.DataPoints {
					resource, _ := point.Attributes.Value("resource")
					resources = append(resources, resource.AsString())
				}
			}
		}
		slices.Sort(resources)
		if !slices.Equal(resources, []string{"configmaps", "other"}) {
			t.Errorf("calls are measured with the resources %q", resources)
		}
	})
}

// TestC22NoPackageKnowsOfProvidersForTheWholeProcess reads the framework's own source: the package
// otel is where they are.
func TestC22NoPackageKnowsOfProvidersForTheWholeProcess(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imported := range file.Imports {
			if imported.Path.Value == `"go.opentelemetry.io/otel"` {
				t.Errorf("%s imports %s", path, imported.Path.Value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhatATermHasLeftBehindIsSentAtItsEndAlthoughTheManagerGoesOn has a batch and an interval that
// would take an hour.
func TestWhatATermHasLeftBehindIsSentAtItsEndAlthoughTheManagerGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		spans, metrics := tracetest.NewInMemoryExporter(), &metricExporter{}
		tracer := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans, sdktrace.WithBatchTimeout(time.Hour)))
		meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics, sdkmetric.WithInterval(time.Hour))))
		api, work := &leaseAPI{}, worker{takes: 30 * time.Minute}
		r := leading(t, controller.ManagerOptions{LeaderElection: elect(api, "a"), Telemetry: controller.Telemetry{TracerProvider: tracer, MeterProvider: meter}}, &work)
		time.Sleep(5 * time.Second)
		if n := len(spans.GetSpans()); n != 0 || len(metrics.names) != 0 || work.started.Load() != 1 {
			t.Errorf("before the end %d spans and the metrics %v are sent, of %d items", n, metrics.names, work.started.Load())
		}
		ends["taken"].do(api)
		synctest.Wait()
		select {
		case <-r.done:
			t.Fatalf("the manager has ended: %v", r.err)
		default:
		}
		sent := spans.GetSpans()
		if !slices.ContainsFunc(sent, func(s tracetest.SpanStub) bool { return s.Name == semconv.SpanTermEnd }) {
			t.Errorf("the term's end is not among the spans %v", sent)
		}
		cut := slices.IndexFunc(sent, func(s tracetest.SpanStub) bool { return s.Name == "reconcile c" })
		if cut < 0 || attributeOf(sent[cut].Attributes, semconv.AttrCancelCause) != "leadership_lost" {
			t.Errorf("the item that the term's end has cut off is not among the spans %v", sent)
		}
		for _, name := range []string{"lanyard.reconcile.duration", "lanyard.leader.terms.ended"} {
			if !slices.Contains(metrics.names, name) {
				t.Errorf("%s is not among the metrics %v", name, metrics.names)
			}
		}
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		if err := tracer.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := meter.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// metricExporter notes what is sent.
type metricExporter struct {
	sdkmetric.Exporter // nil: what is not below is not used
	names              []string
}

func (e *metricExporter) Temporality(sdkmetric.InstrumentKind) metricdata.Temporality {
	return metricdata.CumulativeTemporality
}

func (e *metricExporter) Aggregation(kind sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(kind)
}

func (e *metricExporter) Export(_ context.Context, all *metricdata.ResourceMetrics) error {
	for _, scope := range all.ScopeMetrics {
		for _, metrics := range scope.Metrics {
			e.names = append(e.names, metrics.Name)
		}
	}
	return nil
}

func (e *metricExporter) ForceFlush(context.Context) error { return nil }
func (e *metricExporter) Shutdown(context.Context) error   { return nil }

// counted is how often a histogram has measured.
func counted(t *testing.T, reader sdkmetric.Reader, name string) (n uint64) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, metrics := range scope.Metrics {
			if h, ok := metrics.Data.(metricdata.Histogram[float64]); ok && metrics.Name == name {
				for _, point := range h.DataPoints {
					n += point.Count
				}
			}
		}
	}
	return n
}
