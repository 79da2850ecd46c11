// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// recorder keeps spans, and what a sampler saw of them at their start.
type recorder struct {
	*tracetest.InMemoryExporter

	mu      sync.Mutex
	atStart map[trace.TraceID][]attribute.KeyValue
}

func (r *recorder) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.atStart[p.TraceID] = p.Attributes
	return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample}
}

func (r *recorder) Description() string { return "all, and remembered" }

// traced are options that have everything recorded.
func traced() (*recorder, controller.ManagerOptions) {
	r := &recorder{InMemoryExporter: tracetest.NewInMemoryExporter(), atStart: map[trace.TraceID][]attribute.KeyValue{}}
	return r, controller.ManagerOptions{Telemetry: controller.Telemetry{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(r), sdktrace.WithSampler(r))}}
}

func attributeOf(all []attribute.KeyValue, key string) string {
	i := slices.IndexFunc(all, func(a attribute.KeyValue) bool { return string(a.Key) == key })
	if i < 0 {
		return ""
	}
	return all[i].Value.String()
}

func stamped(name string, n int) *corev1.ConfigMap {
	cm := configMap(name)
	cm.Annotations = map[string]string{tracing.AnnotationKey: fmt.Sprintf("00-%032x-%016x-01", n, n)}
	return cm
}

func TestTenThousandReconcilesAreTenThousandTraces(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const items = 10_000
		w := newWorld(t)
		for i := range items {
			w.add(fmt.Sprintf("cm-%d", i))
		}
		r, o := traced()
		m := newManager(o)
		controller.New(m, "c", w.informer(), nothing, controller.Options{})
		// A span in the root's context would make all of them one trace.
		ctx, root := o.Telemetry.TracerProvider.Tracer("test").Start(t.Context(), "root")
		start(t, ctx, m)
		synctest.Wait()
		ids := map[trace.TraceID]bool{root.SpanContext().TraceID(): true}
		for _, span := range r.GetSpans() {
			ids[span.SpanContext.TraceID()] = true
			if span.Parent.IsValid() {
				t.Fatalf("%s is below another", span.Name)
			}
		}
		if len(ids) != items+1 {
			t.Errorf("there are %d trace ids", len(ids)-1)
		}
	})
}

func TestWhatIsKnownOfAReconcileIsKnownToTheSampler(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		cm := configMap("a")
		cm.UID, cm.Generation = "uid-a", 7
		w.Add(cm)
		r, o := traced()
		m := newManager(o)
		controller.New(m, "c", w.informer(), nothing, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		span := r.GetSpans()[0]
		for key, want := range map[string]string{
			semconv.AttrController: "c", semconv.AttrNamespace: "default", semconv.AttrObjectKind: "ConfigMap", semconv.AttrObjectName: "a",
			semconv.AttrObjectUID: "uid-a", semconv.AttrGeneration: "7", semconv.AttrReason: string(reconcile.StartUp), semconv.AttrAttempt: "1",
			semconv.AttrQueueWait: "0", semconv.AttrQueueDelay: "0", semconv.AttrTriggers: "1",
		} {
			if got := attributeOf(r.atStart[span.SpanContext.TraceID()], key); got != want {
				t.Errorf("at the start %s is %q, want %q", key, got, want)
			}
		}
		if span.Name != "reconcile c" || span.SpanKind != trace.SpanKindConsumer || span.Status.Code != codes.Unset || attributeOf(span.Attributes, semconv.AttrResult) != string(reconcile.Done) {
			t.Errorf("the span is %+v", span)
		}
	})
}

func TestAReconcileIsLinkedToSixOfWhatLedToIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.Add(stamped("a", 1))
		r, o := traced()
		m := newManager(o)
		busy := make(chan struct{})
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			<-busy
			return controller.Result{}, nil
		}, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait() // the first reconcile is under way
		for i := range 8 {
			cm := stamped("a", 2+i)
			cm.Data = map[string]string{"n": fmt.Sprint(i)}
			w.Modify(cm)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		busy <- struct{}{}
		busy <- struct{}{}
		synctest.Wait()
		spans := r.GetSpans()
		if len(spans) != 2 || len(spans[0].Links) != 1 {
			t.Fatalf("there are %d reconciles, the first with %v", len(spans), spans[0].Links)
		}
		var linked []string
		for _, link := range spans[1].Links {
			linked = append(linked, link.SpanContext.SpanID().String())
		}
		if want := "0000000000000002 0000000000000003 0000000000000004 0000000000000005 0000000000000006 0000000000000007"; strings.Join(linked, " ") != want {
			t.Errorf("linked are %v", linked)
		}
		if got := attributeOf(spans[1].Attributes, semconv.AttrTriggers); got != "8" {
			t.Errorf("eight updates are %s triggers", got)
		}
		if wait, delay := attributeOf(spans[1].Attributes, semconv.AttrQueueWait), attributeOf(spans[1].Attributes, semconv.AttrQueueDelay); wait != "1" || delay != "0" {
			t.Errorf("it waited for %s s, after a delay of %s s", wait, delay)
		}
	})
}

// TestAnUpdateOfTheTraceAloneIsNotReconciled: the annotation is written beside a change, which an event of its own tells.
func TestAnUpdateOfTheTraceAloneIsNotReconciled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, s := newWorld(t), &seen{}
		w.Add(stamped("a", 1))
		_, o := traced()
		m := newManager(o)
		controller.New(m, "c", w.informer(), s.reconcile, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		w.Modify(stamped("a", 2))
		synctest.Wait()
		if n := s.count("a"); n != 1 {
			t.Errorf("reconciled %d times", n)
		}
		changed := stamped("a", 2)
		changed.Data = map[string]string{"more": "than the trace"}
		w.Modify(changed)
		synctest.Wait()
		if n := s.count("a"); n != 2 {
			t.Errorf("after a change, reconciled %d times", n)
		}
	})
}

func TestARetryIsLinkedToTheFirstAttemptAndToTheOneBefore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		r, o := traced()
		m := newManager(o)
		tries := 0
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			if tries++; tries < 4 {
				return controller.Result{}, errors.New("not yet")
			}
			return controller.Result{RequeueAfter: map[bool]time.Duration{true: time.Minute}[tries == 4]}, nil
		}, controller.Options{})
		start(t, t.Context(), m)
		time.Sleep(time.Hour)
		spans := r.GetSpans()
		if len(spans) != 5 {
			t.Fatalf("there are %d reconciles", len(spans))
		}
		first := spans[0].SpanContext
		for i, span := range spans {
			var want []trace.SpanID
			reason, delay, chain, result := string(reconcile.Retry), fmt.Sprint(0.01*float64(int(1)<<max(0, i-1))), first.TraceID().String(), string(reconcile.Retried)
			switch i {
			case 0:
				reason, delay, chain = string(reconcile.StartUp), "0", ""
			case 1:
				want = []trace.SpanID{first.SpanID()}
			case 4:
				reason, delay, chain, result = string(reconcile.RequeueAfter), "60", "", string(reconcile.Done)
			default:
				want = []trace.SpanID{first.SpanID(), spans[i-1].SpanContext.SpanID()}
			}
			if i == 3 {
				result = string(reconcile.Requeued)
			}
			var linked []trace.SpanID
			for _, link := range span.Links {
				linked = append(linked, link.SpanContext.SpanID())
			}
			if !slices.Equal(linked, want) {
				t.Errorf("reconcile %d is linked to %v, want %v", i, linked, want)
			}
			for key, want := range map[string]string{semconv.AttrReason: reason, semconv.AttrQueueDelay: delay, semconv.AttrQueueWait: "0", semconv.AttrChainID: chain, semconv.AttrResult: result} {
				if got := attributeOf(span.Attributes, key); got != want {
					t.Errorf("reconcile %d: %s is %q, want %q", i, key, got, want)
				}
			}
			if failed := span.Status.Code == codes.Error; failed != (result == string(reconcile.Retried)) || failed != (attributeOf(span.Attributes, semconv.AttrErrorType) != "") {
				t.Errorf("reconcile %d has status %v, error.type %q", i, span.Status, attributeOf(span.Attributes, semconv.AttrErrorType))
			}
		}
	})
}

func TestATimerThatAnEventHasOvertakenIsVoidAndTheNextHasItsReasonAndDelay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		r, o := traced()
		m := newManager(o)
		reconciles := 0
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			reconciles++
			return controller.Result{RequeueAfter: map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute}[reconciles]}, nil
		}, controller.Options{})
		start(t, t.Context(), m)
		time.Sleep(time.Second)
		cm := configMap("a")
		cm.Data = map[string]string{"a": "b"}
		w.Modify(cm)
		time.Sleep(2 * time.Hour)
		var got []string
		for _, span := range r.GetSpans() {
			got = append(got, attributeOf(span.Attributes, semconv.AttrReason)+" "+attributeOf(span.Attributes, semconv.AttrQueueDelay)+" "+attributeOf(span.Attributes, semconv.AttrQueueWait))
		}
		if want := []string{"start_up 0 0", "object_changed 0 0", "requeue_after 120 0"}; !slices.Equal(got, want) {
			t.Errorf("the reconciles have reason, delay and wait %q, want %q", got, want)
		}
	})
}

func TestAnEventThatConcernsSeveralItemsIsLinkedByAllOfThem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, other := newWorld(t), newWorld(t)
		w.add("a", "b")
		r, o := traced()
		m := newManager(o)
		c := controller.New(m, "c", w.informer(), nothing, controller.Options{})
		controller.Watches(c, other.informer(), func(context.Context, *corev1.ConfigMap) []controller.Request {
			return []controller.Request{{Namespace: "default", Name: "a"}, {Namespace: "default", Name: "b"}}
		})
		start(t, t.Context(), m)
		synctest.Wait()
		r.Reset()
		other.Add(stamped("other", 1))
		synctest.Wait()
		linked := map[string]int{}
		for _, span := range r.GetSpans() {
			linked[attributeOf(span.Attributes, semconv.AttrObjectName)] += len(span.Links)
		}
		if linked["a"] != 1 || linked["b"] != 1 || len(r.GetSpans()) != 2 {
			t.Errorf("there are %d reconciles, with links %v", len(r.GetSpans()), linked)
		}
	})
}

func TestEachLineOfAnItemCarriesItsObjectAttemptAndTrace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		r, o := traced()
		m := newManager(o)
		tries := 0
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			klog.FromContext(ctx).Info("A line of the user's")
			if tries++; tries == 1 {
				return controller.Result{}, errors.New("not yet")
			}
			return controller.Result{}, nil
		}, controller.Options{})
		run := start(t, t.Context(), m)
		time.Sleep(time.Hour)
		spans := r.GetSpans()
		for attempt, span := range spans {
			lines := 0
			for line := range strings.Lines(run.log.String()) {
				if strings.Contains(line, "controller=c ") && strings.Contains(line, "object.name=a object.namespace=default") &&
					strings.Contains(line, fmt.Sprintf(" attempt=%d", attempt+1)) && strings.Contains(line, "trace="+span.SpanContext.TraceID().String()) {
					lines++
				}
			}
			if lines != 2 {
				t.Errorf("attempt %d has %d lines, want the user's and one of the framework's, in\n%s", attempt+1, lines, run.log)
			}
		}
		for line := range strings.Lines(run.log.String()) {
			if strings.Contains(line, "object.name=") && !strings.Contains(line, "trace=") {
				t.Errorf("without its trace: %s", line)
			}
		}
	})
}

func TestAnUpdateOfWhatIsOwnedIsOneTrigger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		owner := configMap("owner")
		w.Add(owner)
		owned := newWorld(t)
		r, o := traced()
		m := newManager(o)
		c := controller.New(m, "c", w.informer(), nothing, controller.Options{})
		controller.Owns(c, owned.informer())
		start(t, t.Context(), m)
		synctest.Wait()
		cm := configMap("owned")
		cm.OwnerReferences = []metav1.OwnerReference{{Kind: "ConfigMap", Name: "owner", Controller: new(true)}}
		owned.Add(cm)
		synctest.Wait()
		r.Reset()
		cm = cm.DeepCopy()
		cm.Data = map[string]string{"a": "b"}
		owned.Modify(cm)
		synctest.Wait()
		spans := r.GetSpans()
		if len(spans) != 1 || attributeOf(spans[0].Attributes, semconv.AttrTriggers) != "1" || attributeOf(spans[0].Attributes, semconv.AttrReason) != string(reconcile.RelatedChanged) {
			t.Errorf("an update led to %d reconciles, the first with %v", len(spans), spans[0].Attributes)
		}
	})
}

func TestACallThroughAProxyIsOneSeriesWhateverItsPath(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: apiServer(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})}, controller.ManagerOptions{Telemetry: controller.Telemetry{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))}})
	client := kubernetes.NewForConfigOrDie(m.Config()).CoreV1().RESTClient()
	for i := range 100 {
		for _, path := range []string{"/api/v1/namespaces/ns/services/a/proxy/%d/b", "/healthz/%d"} {
			if _, err := client.Get().AbsPath(fmt.Sprintf(path, i)).DoRaw(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, metrics := range all.ScopeMetrics[0].Metrics {
		if calls, ok := metrics.Data.(metricdata.Histogram[float64]); ok && metrics.Name == "lanyard.api.call.duration" && len(calls.DataPoints) != 2 {
			t.Errorf("a hundred paths of two kinds are %d series", len(calls.DataPoints))
		}
	}
}

func TestACallThatIsHeldBackIsMeasuredByItsReason(t *testing.T) {
	bubble(t, func(t *testing.T) {
		reader := sdkmetric.NewManualReader()
		m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: 50, Burst: 1, Transport: apiServer(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		})}, controller.ManagerOptions{Telemetry: controller.Telemetry{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))}})
		client := kubernetes.NewForConfigOrDie(m.Config()).CoreV1().RESTClient()
		for range 2 {
			if _, err := client.Get().AbsPath("/healthz").DoRaw(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		for _, metrics := range all.ScopeMetrics[0].Metrics {
			if waits, ok := metrics.Data.(metricdata.Histogram[float64]); ok && metrics.Name == "lanyard.api.throttle.duration" {
				if len(waits.DataPoints) != 1 || attributeOf(waits.DataPoints[0].Attributes.ToSlice(), "reason") != "rate_limiter" || waits.DataPoints[0].Count != 1 {
					t.Errorf("measured are %v", waits.DataPoints)
				}
				return
			}
		}
		t.Error("nothing was measured")
	})
}

func TestTheReconcileAfterASupersededOneSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		recorded, options := traced()
		w, r := newWorld(t), &runs{}
		w.Add(generation("a", 1))
		m := newManager(options)
		controller.New(m, "c", w.informer(), r.slow, controller.Options{SupersedeLimit: 3})
		run := start(t, t.Context(), m)
		time.Sleep(time.Second)
		w.Modify(generation("a", 2))
		time.Sleep(20 * time.Second)
		if err := run.end(nil); err != nil {
			t.Error(err)
		}
		var reasons []string
		for _, span := range recorded.GetSpans() {
			reasons = append(reasons, attributeOf(span.Attributes, semconv.AttrReason))
		}
		if want := []string{string(reconcile.StartUp), string(reconcile.Superseded)}; !slices.Equal(reasons, want) {
			t.Errorf("%q, want %q", reasons, want)
		}
	})
}

func TestAReconcileIsLinkedToTheSpanThatEnqueuedIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		r, o := traced()
		m := newManager(o)
		c := controller.New(m, "c", w.informer(), nothing, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		from := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
		c.Enqueue(trace.ContextWithSpanContext(t.Context(), from), "webhook", controller.Request{Namespace: "default", Name: "a"})
		synctest.Wait()
		spans := r.GetSpans()
		last := spans[len(spans)-1]
		if len(last.Links) != 1 || !last.Links[0].SpanContext.Equal(from) || attributeOf(last.Attributes, semconv.AttrReason) != "webhook" {
			t.Errorf("the span has the links %v and the attributes %v", last.Links, last.Attributes)
		}
	})
}
