// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

func TestWhatTheServerAsksToWaitIsMeasuredAlsoWithoutTracing(t *testing.T) {
	later := func(code int, seconds string) answered {
		return answered{code: code, header: http.Header{"Retry-After": {seconds}}}
	}
	ok := answered{code: http.StatusOK}
	for name, c := range map[string]struct {
		write    bool
		answers  []answered
		deadline time.Duration // of the call's context; zero: none
		want     string
	}{
		"once":                              {false, []answered{later(429, "2"), ok}, 0, "retry_after 1 in 2s"},
		"twice, of a write":                 {true, []answered{later(429, "2"), later(503, "3"), ok}, 0, "retry_after 2 in 5s"},
		"no time at all":                    {false, []answered{later(429, "0"), ok}, 0, ""},
		"longer than the call may take":     {false, []answered{later(429, "30"), ok}, 10 * time.Second, "retry_after 1 in 10s"},
		"as client-go does after a reset":   {false, []answered{{err: syscall.ECONNRESET}, ok}, 0, "retry_after 1 in 1s"},
		"a reset of a write":                {true, []answered{{err: syscall.ECONNRESET}}, 0, ""},
		"nothing":                           {false, []answered{{code: 500}}, 0, ""},
		"with an answer that is no failure": {false, []answered{{code: 404, header: http.Header{"Retry-After": {"2"}}}}, 0, ""},
	} {
		for _, traces := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, traced: %v", name, traces), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, options := traced()
					if !traces {
						options = controller.ManagerOptions{}
					}
					reader := sdkmetric.NewManualReader()
					options.Telemetry.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
					server := server{answers: c.answers}
					m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: apiServer(server.answer)}, options)
					maps := kubernetes.NewForConfigOrDie(m.Config()).CoreV1().ConfigMaps("ns")
					ctx := t.Context()
					if c.deadline > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, c.deadline)
						defer cancel()
					}
					began := time.Now()
					if c.write {
						_, _ = maps.Update(ctx, configMap("a"), metav1.UpdateOptions{}) // what is asked is what was measured
					} else {
						_, _ = maps.Get(ctx, "a", metav1.GetOptions{})
					}
					took := time.Since(began)
					if got := heldBack(t, reader); got != c.want || took > 0 && !strings.HasSuffix(got, " in "+took.String()) {
						t.Errorf("measured is %q, want %q, and the call took %v", got, c.want, took)
					}
				})
			})
		}
	}
}

// TestACallWhoseEndIsKnownIsNotPostponed has the context end while the answer is on its way.
func TestACallWhoseEndIsKnownIsNotPostponed(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	ctx, cancel := context.WithCancelCause(t.Context())
	m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: apiServer(func(*http.Request) (*http.Response, error) {
		cancel(cause.Shutdown)
		return (&server{answers: []answered{{code: 429, header: http.Header{"Retry-After": {"2"}}}}}).answer(nil)
	})}, controller.ManagerOptions{Telemetry: controller.Telemetry{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))}})
	_, err := kubernetes.NewForConfigOrDie(m.Config()).CoreV1().ConfigMaps("ns").Get(ctx, "a", metav1.GetOptions{})
	if got := heldBack(t, reader); got != "" || !errors.Is(err, cause.Shutdown) {
		t.Errorf("measured is %q, and the call returns %v", got, err)
	}
}

// TestAPauseAfterTheFencesRefusalIsMeasuredAndHasItsSpanFromTheNextAttempt: from there alone, so
// that it is not there twice.
func TestAPauseAfterTheFencesRefusalIsMeasuredAndHasItsSpanFromTheNextAttempt(t *testing.T) {
	for reason, spans := range map[report.Throttle]int{report.ThrottleFence: 0, report.ThrottleConnection: 1} {
		synctest.Test(t, func(t *testing.T) {
			recorded, options := traced()
			reader := sdkmetric.NewManualReader()
			options.Telemetry.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
			m := managerOf(&rest.Config{Host: "http://unused.invalid"}, options)
			ctx, root := options.Telemetry.TracerProvider.Tracer("test").Start(t.Context(), "reconcile")
			began := time.Now()
			time.Sleep(50 * time.Millisecond)
			m.Waited(ctx, reason, began)
			if got := heldBack(t, reader); got != string(reason)+" 1 in 50ms" || len(recorded.GetSpans()) != spans {
				t.Errorf("measured is %q, and there are %d spans, want %d", got, len(recorded.GetSpans()), spans)
			}
			root.End()
		})
	}
}

// server gives one answer after another.
type server struct{ answers []answered }

type answered struct {
	code   int
	header http.Header
	err    error
}

func (s *server) answer(*http.Request) (*http.Response, error) {
	next := s.answers[0]
	s.answers = s.answers[1:]
	if next.err != nil {
		return nil, next.err
	}
	if next.header == nil {
		next.header = http.Header{}
	}
	return &http.Response{StatusCode: next.code, Header: next.header, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// found always answers that what was asked for is there.
func (s *server) found(req *http.Request) (*http.Response, error) {
	s.answers = []answered{{code: http.StatusOK}}
	return s.answer(req)
}

// heldBack is each reason for which calls were held back, how often, and how long altogether.
func heldBack(t *testing.T, reader sdkmetric.Reader) string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, scope := range all.ScopeMetrics {
		for _, metrics := range scope.Metrics {
			if waits, ok := metrics.Data.(metricdata.Histogram[float64]); ok && metrics.Name == "lanyard.api.throttle.duration" {
				for _, point := range waits.DataPoints {
					sum := time.Duration(point.Sum * float64(time.Second))
					found = append(found, fmt.Sprintf("%s %d in %v", attributeOf(point.Attributes.ToSlice(), "reason"), point.Count, sum))
				}
			}
		}
	}
	return strings.Join(found, ", ")
}
