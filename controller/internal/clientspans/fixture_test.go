// SPDX-License-Identifier: Apache-2.0

package clientspans_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a provider and what its spans have come to.
type recorder struct {
	*sdktrace.TracerProvider
	exporter *tracetest.InMemoryExporter
}

func record(sampler sdktrace.Sampler) *recorder {
	exporter := tracetest.NewInMemoryExporter()
	return &recorder{sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithSyncer(exporter)), exporter}
}

// reconcile starts a span as a reconcile has it.
func (r *recorder) reconcile(ctx context.Context) (context.Context, trace.Span) {
	return r.Tracer("test").Start(ctx, "reconcile test", trace.WithNewRoot())
}

// named returns the spans of that name in the order in which they ended.
func (r *recorder) named(name string) []tracetest.SpanStub {
	var found []tracetest.SpanStub
	for _, span := range r.exporter.GetSpans() {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

// one is the only span of that name.
func (r *recorder) one(t *testing.T, name string) tracetest.SpanStub {
	t.Helper()
	found := r.named(name)
	if len(found) != 1 {
		t.Fatalf("there are %d spans named %q, want 1, among %v", len(found), name, names(r.exporter.GetSpans()))
	}
	return found[0]
}

func names(spans tracetest.SpanStubs) []string {
	all := make([]string, len(spans))
	for i, span := range spans {
		all[i] = span.Name
	}
	return all
}

// value is an attribute in words, "" when there is none.
func value(span tracetest.SpanStub, key string) string {
	for _, a := range span.Attributes {
		if a.Key == attribute.Key(key) {
			return a.Value.String()
		}
	}
	return ""
}

func serve(t *testing.T, handler http.HandlerFunc) *rest.Config {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL, QPS: -1, ContentConfig: rest.ContentConfig{ContentType: "application/json", AcceptContentTypes: "application/json"}}
}

func client(t *testing.T, config *rest.Config, provider trace.TracerProvider) kubernetes.Interface {
	t.Helper()
	made, err := kubernetes.NewForConfig(tracing.Instrument(config, provider))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func answer(w http.ResponseWriter, code int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object) // a test's client reads it
}

func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason) {
	answer(w, code, metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Message: "because", Reason: reason, Code: int32(code),
	})
}

func configMap() *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{Kind: "ConfigMap", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "ns"},
	}
}

const oneConfigMap = "/api/v1/namespaces/{namespace}/configmaps/{name}"
