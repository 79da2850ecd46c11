// SPDX-License-Identifier: Apache-2.0

package clientspans_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/spanstatus"
	"github.com/lanyard-k8s/lanyard/controller/internal/spantest"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

func TestACallIsAClientSpanOfItsOwn(t *testing.T) {
	r := spantest.Record(sdktrace.AlwaysSample())
	var seen http.Header
	config := serve(t, func(w http.ResponseWriter, req *http.Request) {
		seen = req.Header
		w.Header().Set("Audit-ID", req.Header.Get("Audit-ID"))
		answer(w, http.StatusOK, configMap())
	})
	ctx, root := r.Reconcile(t.Context())
	if _, err := client(t, config, r).CoreV1().ConfigMaps("ns").Get(ctx, "a", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	span := r.One(t, "GET "+oneConfigMap)
	host, port, _ := strings.Cut(strings.TrimPrefix(config.Host, "http://"), ":")
	id := span.SpanContext.TraceID().String() + "-" + span.SpanContext.SpanID().String()
	for key, want := range map[string]string{
		semconv.AttrMethod: "GET", semconv.AttrURLTemplate: oneConfigMap, semconv.AttrServerHost: host, semconv.AttrServerPort: port,
		semconv.AttrURLFull:    config.Host + "/api/v1/namespaces/ns/configmaps/a",
		semconv.AttrStatusCode: "200", semconv.AttrResendCount: "", semconv.AttrErrorType: "", semconv.AttrVerb: "get",
		semconv.AttrResource: "configmaps", semconv.AttrNamespace: "ns", semconv.AttrName: "a", semconv.AttrAuditID: id, semconv.AttrServerAuditID: "",
	} {
		if got := spantest.Value(span, key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if span.Parent.SpanID() != root.SpanContext().SpanID() || span.SpanKind != trace.SpanKindClient || span.Status.Code != codes.Unset {
		t.Errorf("the span is a %v below %v, status %v", span.SpanKind, span.Parent.SpanID(), span.Status)
	}
	want := fmt.Sprintf("00-%s-%s-01", span.SpanContext.TraceID(), span.SpanContext.SpanID())
	if seen.Get("Traceparent") != want || len(want) != 55 || seen.Get("Audit-ID") != id || len(id) > 64 {
		t.Errorf("the server saw traceparent %q and Audit-ID %q", seen.Get("Traceparent"), seen.Get("Audit-ID"))
	}
}

func TestWhatIsNotSampledMakesNoSpanAndTellsTheServer(t *testing.T) {
	r := spantest.Record(sdktrace.NeverSample())
	var seen http.Header
	config := serve(t, func(w http.ResponseWriter, req *http.Request) {
		seen = req.Header
		answer(w, http.StatusOK, configMap())
	})
	maps := client(t, config, r).CoreV1().ConfigMaps("ns")
	ctx, root := r.Reconcile(t.Context())
	if _, err := maps.Get(ctx, "a", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("00-%s-%s-00", root.SpanContext().TraceID(), root.SpanContext().SpanID())
	if seen.Get("Traceparent") != want || seen.Get("Audit-ID") != "" {
		t.Errorf("unsampled, the server saw traceparent %q, want %q, and Audit-ID %q", seen.Get("Traceparent"), want, seen.Get("Audit-ID"))
	}
	if _, err := maps.Get(t.Context(), "a", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	if seen.Get("Traceparent") != "" || len(r.Exporter.GetSpans()) != 0 {
		t.Errorf("without a span, the server saw traceparent %q; there are spans %v", seen.Get("Traceparent"), r.Exporter.GetSpans())
	}
}

func TestWatchesAndLeasesMakeNoSpan(t *testing.T) {
	r := spantest.Record(sdktrace.AlwaysSample())
	config := serve(t, func(w http.ResponseWriter, req *http.Request) { answer(w, http.StatusOK, configMap()) })
	ctx, _ := r.Reconcile(t.Context())
	clients := client(t, config, r)
	w, err := clients.CoreV1().ConfigMaps("ns").Watch(ctx, metav1.ListOptions{AllowWatchBookmarks: true})
	if err != nil {
		t.Fatal(err)
	}
	w.Stop()
	if _, err := clients.CoordinationV1().Leases("ns").Get(ctx, "a", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	if spans := r.Exporter.GetSpans(); len(spans) != 0 {
		t.Errorf("there are spans %v", spantest.Names(spans))
	}
}

func TestTheStatusOfAnAnswerIsWhatItMeansToTheCaller(t *testing.T) {
	protobuf := func(w http.ResponseWriter, code int, reason metav1.StatusReason) {
		raw, err := (&metav1.Status{Status: metav1.StatusFailure, Reason: reason, Code: int32(code)}).Marshal()
		if err != nil {
			t.Error(err)
		}
		data, err := (&runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: "Status"}, Raw: raw}).Marshal()
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", runtime.ContentTypeProtobuf)
		w.WriteHeader(code)
		_, _ = w.Write(append([]byte("k8s\x00"), data...)) // a test's client reads it
	}
	for name, c := range map[string]struct {
		method string
		code   int
		reason metav1.StatusReason
		write  func(http.ResponseWriter, int, metav1.StatusReason)
		want   string // "" for an unset status
	}{
		"a read that finds nothing":        {"GET", 404, metav1.StatusReasonNotFound, refuse, ""},
		"a write that finds nothing":       {"PUT", 404, metav1.StatusReasonNotFound, refuse, "NotFound"},
		"a conflict":                       {"PUT", 409, metav1.StatusReasonConflict, refuse, ""},
		"already there":                    {"POST", 409, metav1.StatusReasonAlreadyExists, refuse, ""},
		"forbidden":                        {"PUT", 403, metav1.StatusReasonForbidden, refuse, "Forbidden"},
		"a reason that the code has not":   {"POST", 504, metav1.StatusReasonServerTimeout, refuse, "ServerTimeout"},
		"the same in protobuf":             {"POST", 504, metav1.StatusReasonServerTimeout, protobuf, "ServerTimeout"},
		"a sentence where the reason goes": {"POST", 403, "no, not you, and not today", refuse, "Forbidden"},
		"no status at all": {"POST", 502, "", func(w http.ResponseWriter, code int, _ metav1.StatusReason) {
			http.Error(w, "bad gateway", code)
		}, "502"},
		"a status that is cut off": {"POST", 400, "", func(w http.ResponseWriter, code int, _ metav1.StatusReason) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, `{"metadata":{"reason":"Wrong"},"reason":"Expired","details":{"message":"%s"}}`, strings.Repeat("x", 100_000))
		}, "Expired"},
	} {
		t.Run(name, func(t *testing.T) {
			r := spantest.Record(sdktrace.AlwaysSample())
			config := serve(t, func(w http.ResponseWriter, _ *http.Request) { c.write(w, c.code, c.reason) })
			ctx, _ := r.Reconcile(t.Context())
			body, status := exchange(ctx, t, config, r, c.method)
			if status != c.code || len(body) == 0 {
				t.Errorf("the caller got code %d and %d bytes", status, len(body))
			}
			span := r.One(t, c.method+" "+oneConfigMap)
			failed := span.Status.Code == codes.Error
			if failed != (c.want != "") || spantest.Value(span, semconv.AttrErrorType) != c.want {
				t.Errorf("status %v, error.type %q, want %q", span.Status, spantest.Value(span, semconv.AttrErrorType), c.want)
			}
		})
	}
}

// exchange makes one request of a ConfigMap and reads all of the answer.
func exchange(ctx context.Context, t *testing.T, config *rest.Config, r *spantest.Recorder, method string) (string, int) {
	t.Helper()
	resp, err := send(ctx, t, tracing.Instrument(config, r), method)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), resp.StatusCode
}

func send(ctx context.Context, t *testing.T, config *rest.Config, method string) (*http.Response, error) {
	t.Helper()
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, method, config.Host+"/api/v1/namespaces/ns/configmaps/a", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return httpClient.Do(req)
}

func TestACallThatEndsWithItsContextSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		end    error
		cause  string
		failed bool
	}{
		"shutdown":        {cause.Shutdown.With(errors.New("SIGTERM")), "shutdown", false},
		"leadership lost": {cause.LeadershipLost.With(&cause.TermEnded{}), "leadership_lost", false},
		"superseded":      {cause.Superseded, "superseded", false},
		"deleted":         {cause.ObjectDeleted, "object_deleted", false},
		"the user's own":  {errors.New("enough"), "canceled", false},
		"item timeout":    {cause.ItemTimeout, "item_timeout", true},
		"call timeout":    {cause.CallTimeout, "call_timeout", true},
	} {
		for _, started := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, answered %v", name, started), func(t *testing.T) {
				r := spantest.Record(sdktrace.AlwaysSample())
				arrived, release := make(chan struct{}), make(chan struct{})
				config := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					if started {
						w.WriteHeader(http.StatusOK)
						_ = http.NewResponseController(w).Flush() // the client sees it, or the test fails
					}
					close(arrived)
					<-release
				})
				t.Cleanup(func() { close(release) })
				ctx, root := r.Reconcile(t.Context())
				ctx, cancel := context.WithCancelCause(ctx)
				go func() {
					<-arrived
					if started {
						time.Sleep(10 * time.Millisecond)
					}
					cancel(c.end)
				}()
				_, err := client(t, config, r).CoreV1().RESTClient().Patch("").AbsPath("/api/v1/namespaces/ns/configmaps/a").DoRaw(ctx)
				if err == nil {
					t.Fatal("the call ended well")
				}
				spanstatus.Set(ctx, root, err)
				root.End()
				for _, span := range []string{"PATCH " + oneConfigMap, "reconcile test"} {
					span := r.One(t, span)
					if got := spantest.Value(span, semconv.AttrCancelCause); got != c.cause || (span.Status.Code == codes.Error) != c.failed {
						t.Errorf("%s: cause %q, want %q, status %v, error %v", span.Name, got, c.cause, span.Status, err)
					}
					if got := spantest.Value(span, semconv.AttrErrorType); (got == c.cause) != c.failed {
						t.Errorf("%s: error.type %q", span.Name, got)
					}
				}
			})
		}
	}
}

func TestTheSpanEndsWithTheBody(t *testing.T) {
	for name, end := range map[string]func(io.ReadCloser) error{
		"read to its end": func(body io.ReadCloser) error { _, err := io.Copy(io.Discard, body); return err },
		"closed":          io.ReadCloser.Close,
	} {
		t.Run(name, func(t *testing.T) {
			r := spantest.Record(sdktrace.AlwaysSample())
			config := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, configMap()) })
			ctx, _ := r.Reconcile(t.Context())
			resp, err := send(ctx, t, tracing.Instrument(config, r), "GET")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if len(r.Exporter.GetSpans()) != 0 {
				t.Error("the span has ended before the body")
			}
			if err := end(resp.Body); err != nil {
				t.Fatal(err)
			}
			r.One(t, "GET "+oneConfigMap)
		})
	}
}

func TestAnUpgradedConnectionCanStillBeWrittenTo(t *testing.T) {
	r := spantest.Record(sdktrace.AlwaysSample())
	config := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, both, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		line, err := both.ReadString('\n')
		if err != nil {
			t.Error(err)
		}
		_, _ = conn.Write([]byte(line)) // the client sees it, or the test fails
	})
	ctx, _ := r.Reconcile(t.Context())
	resp, err := send(ctx, t, tracing.Instrument(config, r), "POST")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r.One(t, "POST "+oneConfigMap)
	if _, err := fmt.Fprintln(resp.Body.(io.Writer), "hello"); err != nil {
		t.Fatal(err)
	}
	if echoed, err := io.ReadAll(resp.Body); err != nil || string(echoed) != "hello\n" {
		t.Errorf("the echo is %q, %v", echoed, err)
	}
}

func TestTheCallersRequestAndItsAuditIDAreLeftAlone(t *testing.T) {
	r := spantest.Record(sdktrace.AlwaysSample())
	var sent *http.Request
	transport := tracing.NewTransport(roundTripperFunc(func(req *http.Request) (*http.Response, error) {
		sent = req
		return &http.Response{StatusCode: 200, Header: http.Header{"Audit-Id": {"the server's"}}, Body: http.NoBody}, nil
	}), r)
	ctx, _ := r.Reconcile(t.Context())
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "https://example.com/api/v1/pods?continue=x", http.NoBody)
	req.Header.Set("Audit-ID", "mine")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if len(req.Header) != 1 || sent == req {
		t.Errorf("the caller's request has now the headers %v", req.Header)
	}
	span := r.One(t, "GET /api/v1/pods")
	if sent.Header.Get("Audit-ID") != "mine" || spantest.Value(span, semconv.AttrAuditID) != "mine" || spantest.Value(span, semconv.AttrServerAuditID) != "the server's" {
		t.Errorf("the audit id sent is %q, recorded are %q and %q", sent.Header.Get("Audit-ID"), spantest.Value(span, semconv.AttrAuditID), spantest.Value(span, semconv.AttrServerAuditID))
	}
	if trace.SpanContextFromContext(sent.Context()).SpanID() != span.SpanContext.SpanID() || spantest.Value(span, semconv.AttrServerPort) != "443" ||
		spantest.Value(span, semconv.AttrURLFull) != "https://example.com/api/v1/pods" {
		t.Errorf("the span in the request's context is not the client span, or its attributes are not right: %v", span.Attributes)
	}
}

type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

type closable struct {
	roundTripperFunc
	closed *bool
}

func (c closable) CloseIdleConnections() { *c.closed = true }

func TestTheTransportBelowCanBeReached(t *testing.T) {
	var closed bool
	below := closable{closed: &closed}
	transport := tracing.NewTransport(below, spantest.Record(sdktrace.AlwaysSample()))
	if _, ok := transport.(utilnet.RoundTripperWrapper).WrappedRoundTripper().(closable); !ok {
		t.Error("WrappedRoundTripper is not the transport below")
	}
	(&http.Client{Transport: transport}).CloseIdleConnections()
	if !closed {
		t.Error("CloseIdleConnections was not passed on")
	}
	config, err := utilnet.TLSClientConfig(tracing.NewTransport(&http.Transport{}, spantest.Record(sdktrace.AlwaysSample())))
	if err != nil || config != nil {
		t.Errorf("TLSClientConfig: %v, %v", config, err)
	}
	if _, same := tracing.NewTransport(below, nil).(closable); !same {
		t.Error("without a provider there is something between")
	}
}
