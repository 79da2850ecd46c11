// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.uber.org/goleak"
	"k8s.io/klog/v2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTelemetryFlagsThatCannotHaveTheirEffectAreRefusedWithTheRemedy(t *testing.T) {
	const (
		endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"
		traces   = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://localhost:4318/v1/traces"
		pushed   = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://localhost:4318/v1/metrics"
		off      = "OTEL_SDK_DISABLED=true"
		flag     = "-otlp-endpoint=https://collector:4318/base"
	)
	for _, c := range []struct {
		words, wrong string // flags and variables; what the error has in it, "" for none
	}{
		{"-trace-annotate", "-trace-annotate has no effect"},
		{"-trace-keep", "-trace-keep has no effect"},
		{"-trace-ratio=0.5", "-trace-ratio has no effect"},
		{"-otlp-metrics", "-otlp-metrics has no effect"},
		{"-otlp-metrics", "-otlp-endpoint, or with the variable OTEL_EXPORTER_OTLP_ENDPOINT"},
		{"-otlp-metrics " + traces, "-otlp-metrics has no effect"},
		{"-trace-annotate " + pushed, "-trace-annotate has no effect"},
		{"-trace-annotate -trace-keep -trace-ratio=1 -otlp-metrics " + endpoint, ""},
		{"-trace-annotate -trace-keep -trace-ratio=1 -otlp-metrics " + flag, ""},
		{"-trace-annotate " + traces, ""},
		{"-otlp-metrics " + pushed, ""},
		{"-trace-annotate=false -metrics-addr=:8080", ""},
		{"-trace-annotate -otlp-metrics " + endpoint + " " + off, ""},
		{"", ""},
		{"-trace-ratio=7 " + endpoint, "-trace-ratio=7: it is a part of all, from 0 to 1"},
		{"-trace-ratio=-1 " + endpoint, "from 0 to 1"},
		{"-trace-ratio=NaN " + endpoint, "from 0 to 1"},
		{"-otlp-endpoint=localhost:4318", "-otlp-endpoint=localhost:4318: it has to be a URL, such as http://localhost:4318"},
		{"-otlp-endpoint=collector", "such as http://"},
		{"-otlp-endpoint=http://", "such as http://"},
		{"-otlp-endpoint=grpc://collector:4317", "such as http://"},
	} {
		t.Run(c.words, func(t *testing.T) {
			var args []string
			for _, word := range strings.Fields(c.words) {
				if name, value, _ := strings.Cut(word, "="); strings.HasPrefix(word, "OTEL_") {
					t.Setenv(name, value)
				} else {
					args = append(args, word)
				}
			}
			switch _, err := parse(args, io.Discard); {
			case c.wrong == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
				t.Errorf("the error is %v, want %q", err, c.wrong)
			}
		})
	}
}

func TestAProcessThatCannotBeDescribedInFullIsMeasuredAllTheSame(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "foo")
	var log strings.Builder
	logger, err := newLogger("json", 0, &log)
	if err != nil {
		t.Fatal(err)
	}
	ctx := klog.NewContext(t.Context(), logger)
	off, err := newTelemetry(ctx, &telemetrySettings{}, "pod")
	if err != nil || off.MeterProvider != nil || off.TracerProvider != nil || log.Len() > 0 {
		t.Errorf("off, it is %+v: %v, and logs %s", off, err, &log)
	}
	on, err := newTelemetry(ctx, &telemetrySettings{metricsAddress: ":0"}, "pod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "[foo]") {
		t.Errorf("the log does not say what is missing: %s", &log)
	}
	answer := httptest.NewRecorder()
	on.metrics.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	for _, text := range []string{`service_name="flunder-controller"`, `service_instance_id="pod"`} {
		if !strings.Contains(answer.Body.String(), text) {
			t.Errorf("%s is not served:\n%s", text, answer.Body)
		}
	}
	if err := on.stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestEveryLineOfAJSONLogIsJSONAlsoOpenTelemetrysAndAddressesAreText(t *testing.T) {
	t.Cleanup(func() { // what run sets for the process
		otel.SetLogger(logr.Discard())
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	})
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadRequest) }))
	defer refuses.Close()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte(`{"apiVersion":"v1","kind":"Config","current-context":"c",
		"clusters":[{"name":"c","cluster":{"server":"`+refuses.URL+`"}}],"contexts":[{"name":"c","context":{"cluster":"c"}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "foo")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	log := &lines{until: map[string]bool{"Serving health": false, "Telemetry failed": false}, done: cancel}
	if err := run(ctx, []string{"-log-format=json", "-kubeconfig=" + kubeconfig, "-health-addr=127.0.0.1:0", "-otlp-metrics", "-otlp-endpoint=" + refuses.URL}, log); err != nil {
		t.Error(err)
	}
	text := log.text.String()
	for line := range strings.Lines(text) {
		record := map[string]any{}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Errorf("%v: %s", err, line)
		}
		if address, ok := record["address"]; ok && !strings.HasPrefix(asText(address), "127.0.0.1:") {
			t.Errorf("the address is %v", address)
		}
	}
	if !strings.Contains(text, `"report":"stopped in `) {
		t.Errorf("there is no report in\n%s", text)
	}
	for message, seen := range log.until {
		if !seen {
			t.Errorf("there is no %q in\n%s", message, text)
		}
	}
}

func asText(value any) string {
	text, _ := value.(string)
	return text
}

// lines is a log that calls done when it has all that it waits for.
type lines struct {
	mu    sync.Mutex
	text  strings.Builder
	until map[string]bool
	done  func()
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	all := true
	for message, seen := range l.until {
		l.until[message] = seen || strings.Contains(string(p), message)
		all = all && l.until[message]
	}
	if all {
		l.done()
	}
	return len(p), nil
}
