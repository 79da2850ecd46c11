// SPDX-License-Identifier: Apache-2.0

package clientspans_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller/internal/clientspans"
	"github.com/lanyard-k8s/lanyard/controller/internal/race"
	"github.com/lanyard-k8s/lanyard/controller/internal/spanstatus"
	"github.com/lanyard-k8s/lanyard/controller/internal/spantest"
	"github.com/lanyard-k8s/lanyard/controller/internal/traceannotation"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// discard is a span processor that has spans recorded, and no more.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }

// stub answers without allocating anything but the body's reader.
type stub struct{ response http.Response }

func newStub() *stub {
	return &stub{http.Response{StatusCode: http.StatusOK, Header: http.Header{}}}
}

func (s *stub) RoundTrip(*http.Request) (*http.Response, error) {
	response := s.response
	response.Body = io.NopCloser(bytes.NewReader([]byte("x")))
	return &response, nil
}

func request(ctx context.Context, tb testing.TB) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "https://10.0.0.1:6443/apis/apps/v1/namespaces/ns/deployments/a?timeout=10s", http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header = http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"x"}, "Authorization": {"Bearer x"}}
	return req
}

// modes are the ways in which a call may be traced; bare is one without this package.
func modes(tb testing.TB) map[string]func() {
	providers := map[string]*sdktrace.TracerProvider{
		"unsampled": sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()), sdktrace.WithSpanProcessor(discard{})),
		"sampled":   sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(discard{})),
	}
	run := func(ctx context.Context, transport http.RoundTripper) func() {
		req := request(ctx, tb)
		return func() {
			resp, err := transport.RoundTrip(req)
			if err != nil {
				tb.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body) // cannot fail
			_ = resp.Body.Close()                 // has been read
		}
	}
	made := map[string]func(){
		"bare":    run(tb.Context(), newStub()),
		"off":     run(tb.Context(), tracing.NewTransport(newStub(), nil)),
		"no span": run(tb.Context(), tracing.NewTransport(newStub(), providers["sampled"])),
	}
	for name, provider := range providers {
		ctx, _ := provider.Tracer("test").Start(tb.Context(), "reconcile test")
		made[name] = run(ctx, tracing.NewTransport(newStub(), provider))
	}
	return made
}

func BenchmarkCall(b *testing.B) {
	for name, call := range modes(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}

func TestAllocationsArePinned(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates too")
	}
	all := modes(t)
	bare := testing.AllocsPerRun(1000, all["bare"])
	for name, most := range map[string]float64{"off": 0, "no span": 0, "unsampled": 5, "sampled": 34} {
		if more := testing.AllocsPerRun(1000, all[name]) - bare; more > most {
			t.Errorf("%s: a call allocates %v times more than without tracing, want at most %v", name, more, most)
		}
	}
	var (
		off       *clientspans.Client
		on        = clientspans.NewClient(spantest.Record(sdktrace.AlwaysSample()))
		limiter   = on.RateLimiter(flowcontrol.NewFakeAlwaysRateLimiter())
		ctx       = t.Context()
		began     = time.Now().Add(-time.Second)
		same, was = annotated(stamp), annotated(stamp)
		consumer  = traceannotation.NewConsumer(nil)
		bareObj   = annotated("")
	)
	delete(bareObj.Annotations, tracing.AnnotationKey)
	for name, f := range map[string]func(){
		"Throttled, off":                   func() { off.Throttled(ctx, began, time.Now(), report.ThrottleConnection) },
		"Throttled, no span":               func() { on.Throttled(ctx, began, time.Now(), report.ThrottleConnection) },
		"RateLimiter, no span":             func() { _ = limiter.Wait(ctx) }, // never fails
		"OnlyTraceChanged, the same trace": func() { (*traceannotation.Settings)(nil).OnlyTraceChanged(was, same) },
		"Take, of an object without one":   func() { consumer.Take(bareObj) },
		"InjectObject, not sampled":        func() { tracing.InjectObject(ctx, bareObj, nil) },
		"SetStatus, no error":              func() { spanstatus.Set(ctx, nil, nil) },
		"Link, no span":                    func() { tracing.Link(ctx, same) },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

const stamp = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func annotated(value string) *corev1.ConfigMap {
	object := configMap()
	object.Annotations = map[string]string{tracing.AnnotationKey: value, "other": "x"}
	return object
}
