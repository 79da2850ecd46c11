// SPDX-License-Identifier: Apache-2.0

package clientspans_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/clientspans"
	"github.com/lanyard-k8s/lanyard/controller/internal/spantest"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// scripted answers each request with the next of its replies, 20 ms later. In a synctest bubble
// that is no time.
type scripted []reply

type reply struct {
	code         int
	header, body string
	err          error
}

func (s *scripted) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(20 * time.Millisecond)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	next := (*s)[0]
	*s = (*s)[1:]
	if next.err != nil {
		return nil, next.err
	}
	h := http.Header{"Content-Type": {"application/json"}}
	if key, value, ok := strings.Cut(next.header, ": "); ok {
		h.Set(key, value)
	}
	return &http.Response{StatusCode: next.code, Header: h, Body: io.NopCloser(strings.NewReader(next.body))}, nil
}

const (
	found   = `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}}`
	tooMany = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"TooManyRequests","code":429}`
)

// covered is the part of the root's time that its children account for, and how much of that twice.
func covered(root tracetest.SpanStub, spans tracetest.SpanStubs) (part float64, twice time.Duration) {
	spans = slices.DeleteFunc(slices.Clone(spans), func(s tracetest.SpanStub) bool { return s.Parent.SpanID() != root.SpanContext.SpanID() })
	slices.SortFunc(spans, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	var sum time.Duration
	at := root.StartTime
	for _, span := range spans {
		if span.StartTime.Before(at) {
			twice += min(at.Sub(span.StartTime), span.EndTime.Sub(span.StartTime))
			span.StartTime = at
		}
		if span.EndTime.After(at) {
			sum += span.EndTime.Sub(span.StartTime)
			at = span.EndTime
		}
	}
	return float64(sum) / float64(root.EndTime.Sub(root.StartTime)), twice
}

func TestAttemptsAndWhatTheyWaitedForCoverTheCall(t *testing.T) {
	type span struct {
		name, resend, reason string
		took                 time.Duration
	}
	call := func(resend string) span {
		return span{"GET " + oneConfigMap, resend, "", 20 * time.Millisecond}
	}
	wait := func(reason string, took time.Duration) span { return span{"throttle", "", reason, took} }
	for name, c := range map[string]struct {
		qps     float32
		answers scripted
		want    []span
	}{
		"two 429s": {
			-1, scripted{{429, "Retry-After: 1", tooMany, nil}, {429, "Retry-After: 2", tooMany, nil}, {200, "", found, nil}},
			[]span{call(""), wait("retry_after", time.Second), call("1"), wait("retry_after", 2*time.Second), call("2")},
		},
		"two 429s and a rate limiter that is slower": {
			0.5, scripted{{429, "Retry-After: 1", tooMany, nil}, {429, "Retry-After: 0", tooMany, nil}, {200, "", found, nil}},
			[]span{
				call(""), wait("retry_after", time.Second), wait("rate_limiter", 980*time.Millisecond),
				call("1"), wait("rate_limiter", 1980*time.Millisecond), call("2"),
			},
		},
		"a connection that is reset": {
			-1, scripted{{err: syscall.ECONNRESET}, {200, "", found, nil}},
			[]span{call(""), wait("retry_after", time.Second), call("1")},
		},
		"a server that is unavailable": {
			-1, scripted{{503, "Retry-After: 1", "later", nil}, {200, "", found, nil}},
			[]span{call(""), wait("retry_after", time.Second), call("1")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := spantest.Record(sdktrace.AlwaysSample())
				maps := client(t, &rest.Config{Host: "http://unused.invalid", QPS: c.qps, Burst: 1, Transport: &c.answers}, r).CoreV1().ConfigMaps("ns")
				ctx, root := r.Reconcile(t.Context())
				if _, err := maps.Get(ctx, "a", metav1.GetOptions{}); err != nil {
					t.Fatal(err)
				}
				root.End()
				spans := r.Exporter.GetSpans()
				slices.SortStableFunc(spans, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
				var got []span
				for _, s := range spans {
					if !s.Parent.IsValid() {
						continue
					}
					got = append(got, span{s.Name, spantest.Value(s, semconv.AttrResendCount), spantest.Value(s, semconv.AttrThrottleReason), s.EndTime.Sub(s.StartTime).Round(time.Millisecond)})
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("the spans are\n%v, want\n%v", got, c.want)
				}
				if part, twice := covered(r.One(t, "reconcile test"), spans); part < 0.95 || twice > 0 {
					t.Errorf("the children cover %.1f %% of the root, %v twice", 100*part, twice)
				}
			})
		})
	}
}

func TestASecondCallIsNoSecondAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := spantest.Record(sdktrace.AlwaysSample())
		answers := scripted{
			{500, "", "", nil}, {500, "", "", nil}, // without Retry-After nobody tries again
			{404, "", "", nil}, {404, "", "", nil},
			{err: syscall.ECONNRESET}, {err: syscall.ECONNRESET}, // of a write
		}
		maps := client(t, &rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: &answers}, r).CoreV1().ConfigMaps("ns")
		ctx, _ := r.Reconcile(t.Context())
		for range 4 {
			_, _ = maps.Get(ctx, "a", metav1.GetOptions{}) // of interest are the spans
		}
		for range 2 {
			_, _ = maps.Update(ctx, configMap(), metav1.UpdateOptions{}) // as above
		}
		if spans := r.Exporter.GetSpans(); len(spans) != 6 {
			t.Errorf("the spans are %v", spantest.Names(spans))
		}
		for _, span := range r.Exporter.GetSpans() {
			if spantest.Value(span, semconv.AttrResendCount) != "" {
				t.Errorf("%s is a second attempt", span.Name)
			}
		}
	})
}

func TestACallAfterOneThatWasTriedAgainIsNoAttemptOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := spantest.Record(sdktrace.AlwaysSample())
		answers := scripted{{429, "Retry-After: 1", tooMany, nil}, {200, "", found, nil}, {200, "", found, nil}}
		maps := client(t, &rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: &answers}, r).CoreV1().ConfigMaps("ns")
		ctx, _ := r.Reconcile(t.Context())
		for range 2 {
			if _, err := maps.Get(ctx, "a", metav1.GetOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		var resends []string
		for _, span := range r.Exporter.GetSpans() {
			if span.Name != semconv.SpanThrottle {
				resends = append(resends, spantest.Value(span, semconv.AttrResendCount))
			}
		}
		if !slices.Equal(resends, []string{"", "1", ""}) {
			t.Errorf("the attempts are %q", resends)
		}
	})
}

func TestAnAttemptIsForgottenAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := spantest.Record(sdktrace.AlwaysSample())
		answers := scripted{{429, "Retry-After: 1", tooMany, nil}, {200, "", found, nil}}
		maps := client(t, &rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: &answers}, r).CoreV1()
		ctx, _ := r.Reconcile(t.Context())
		get := func() *rest.Request {
			return maps.RESTClient().Get().Namespace("ns").Resource("configmaps").Name("a").MaxRetries(0)
		}
		if get().Do(ctx).Error() == nil {
			t.Fatal("429 is no error")
		}
		time.Sleep(2 * time.Minute)
		if err := get().Do(ctx).Error(); err != nil {
			t.Fatal(err)
		}
		for _, span := range r.Exporter.GetSpans() {
			if span.Name == semconv.SpanThrottle || spantest.Value(span, semconv.AttrResendCount) != "" {
				t.Errorf("%s, resend %q", span.Name, spantest.Value(span, semconv.AttrResendCount))
			}
		}
	})
}

func TestTheFencesSecondThoughtsAreAttemptsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := spantest.Record(sdktrace.AlwaysSample())
		answers := scripted{
			{403, "", `{"kind":"Status","message":"ValidatingAdmissionPolicy 'x' denied request: fenced by lease a/b","reason":"Forbidden","code":403}`, nil},
			{200, "", found, nil},
		}
		transport := tracing.NewTransport(&answers, r)
		ctx, root := r.Reconcile(t.Context())
		for i, timeout := range []string{"9.9s", "9.8s"} { // what the server is told is another each time
			req, err := http.NewRequestWithContext(ctx, "PUT", "https://x/api/v1/namespaces/ns/configmaps/a?force=true&timeout="+timeout, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close() // has been read
			if i == 0 {
				time.Sleep(8 * time.Millisecond)
			}
		}
		root.End()
		wait := r.One(t, semconv.SpanThrottle)
		attempts := r.Named("PUT " + oneConfigMap)
		if len(attempts) != 2 || spantest.Value(attempts[1], semconv.AttrResendCount) != "1" || spantest.Value(wait, semconv.AttrThrottleReason) != string(report.ThrottleFence) ||
			wait.EndTime.Sub(wait.StartTime) != 8*time.Millisecond {
			t.Errorf("the spans are %v", r.Exporter.GetSpans())
		}
	})
}

func TestAShortWaitMakesNoSpanAndACancelledOneSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := spantest.Record(sdktrace.AlwaysSample())
		c := clientspans.NewClient(r)
		ctx, _ := r.Reconcile(t.Context())
		began := time.Now()
		time.Sleep(4 * time.Millisecond)
		c.Throttled(ctx, began, time.Now(), report.ThrottleConnection)
		if len(r.Exporter.GetSpans()) != 0 {
			t.Error("a wait of 4 ms has a span")
		}
		limiter := c.RateLimiter(flowcontrol.NewTokenBucketRateLimiter(0.01, 1))
		limiter.Accept()
		ctx, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(time.Second, func() { cancel(cause.Shutdown) })
		if limiter.Wait(ctx) == nil {
			t.Error("the wait was not cancelled")
		}
		span := r.One(t, semconv.SpanThrottle)
		if spantest.Value(span, semconv.AttrCancelCause) != "shutdown" || span.Status.Code != codes.Unset || span.EndTime.Sub(span.StartTime) != time.Second ||
			span.SpanKind != trace.SpanKindInternal {
			t.Errorf("the span is %+v", span)
		}
	})
}

func TestInstrumentKeepsTheClientsRateLimit(t *testing.T) {
	own := flowcontrol.NewTokenBucketRateLimiter(7, 1)
	for name, c := range map[string]struct {
		config rest.Config
		qps    float32 // negative: no limiter
	}{
		"nothing set":     {rest.Config{}, rest.DefaultQPS},
		"QPS":             {rest.Config{QPS: 3, Burst: 2}, 3},
		"QPS alone":       {rest.Config{QPS: 3}, 3},
		"none":            {rest.Config{QPS: -1}, -1},
		"one of its own":  {rest.Config{QPS: 3, RateLimiter: own}, 7},
		"a fake that has": {rest.Config{RateLimiter: flowcontrol.NewFakeAlwaysRateLimiter()}, 1},
	} {
		made := tracing.Instrument(&c.config, spantest.Record(sdktrace.AlwaysSample()))
		switch {
		case made.RateLimiter == nil && c.qps >= 0, made.RateLimiter != nil && c.qps < 0:
			t.Errorf("%s: the limiter is %v", name, made.RateLimiter)
		case made.RateLimiter != nil && made.RateLimiter.QPS() != c.qps:
			t.Errorf("%s: QPS is %v, want %v", name, made.RateLimiter.QPS(), c.qps)
		}
		if off := tracing.Instrument(&c.config, nil); off.RateLimiter != c.config.RateLimiter || off.WrapTransport != nil {
			t.Errorf("%s: without a provider something was changed", name)
		}
	}
}

func TestMemoryOfAttemptsIsBounded(t *testing.T) {
	r := spantest.Record(sdktrace.AlwaysSample())
	c := clientspans.NewClient(r)
	transport := c.Transport(roundTripperFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {"1"}}, Body: http.NoBody}, nil
	}))
	ctx, _ := r.Reconcile(t.Context())
	for i := range 5000 {
		req, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("https://x/api/v1/namespaces/ns/configmaps/%d", i), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close() // is empty
	}
	if n := c.Remembered(); n > 1024 {
		t.Errorf("%d attempts are remembered", n)
	}
}

func TestARealConnectionThatIsResetIsTriedAgain(t *testing.T) {
	r := spantest.Record(sdktrace.AlwaysSample())
	first := true
	config := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if first {
			first = false
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_ = conn.Close() // that is the point
			return
		}
		answer(w, http.StatusOK, &corev1.ConfigMap{})
	})
	ctx, root := r.Reconcile(t.Context())
	if _, err := kubernetes.NewForConfigOrDie(tracing.Instrument(config, r)).CoreV1().ConfigMaps("ns").Get(ctx, "a", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	root.End()
	attempts, wait := r.Named("GET "+oneConfigMap), r.One(t, semconv.SpanThrottle)
	if len(attempts) != 2 || spantest.Value(attempts[0], semconv.AttrErrorType) != "io.EOF" || attempts[0].Status.Code != codes.Error ||
		spantest.Value(attempts[1], semconv.AttrResendCount) != "1" {
		t.Errorf("the attempts are %v", attempts)
	}
	if took := wait.EndTime.Sub(wait.StartTime).Seconds(); math.Abs(took-1) > 0.2 {
		t.Errorf("client-go waits %v s after a reset, not a second", took)
	}
}
