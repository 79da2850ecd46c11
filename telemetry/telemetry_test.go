// SPDX-License-Identifier: Apache-2.0

package telemetry_test

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.uber.org/goleak"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/program"
	"github.com/lanyard-k8s/lanyard/telemetry"
)

var _ program.Telemetry = (*telemetry.Telemetry)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parse returns a telemetry with these flags.
func parse(t *testing.T, args ...string) (*telemetry.Telemetry, error) {
	t.Helper()
	tel, flags := telemetry.New(), flag.NewFlagSet("test", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	tel.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return tel, tel.Validate(flags)
}

func TestFlagsThatCannotHaveTheirEffectAreRefusedWithTheRemedy(t *testing.T) {
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
		{"-trace-annotate=false", ""},
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
			switch _, err := parse(t, args...); {
			case c.wrong == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
				t.Errorf("the error is %v, want %q", err, c.wrong)
			}
		})
	}
}

func TestAVariableForAFlagWithoutEffectIsRefusedToo(t *testing.T) {
	err := program.Run(t.Context(), program.Options{Name: "widget-operator", Telemetry: telemetry.New()},
		program.Process{Environment: []string{"WIDGET_OPERATOR_TRACE_RATIO=0.5"}}, nil)
	if err == nil || !strings.Contains(err.Error(), "-trace-ratio has no effect") {
		t.Errorf("the error is %v", err)
	}
}

func TestAProcessThatCannotBeDescribedInFullIsMeasuredAllTheSame(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "foo")
	var log strings.Builder
	ctx := klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewTextHandler(&log, nil)))
	off, err := start(ctx, t, program.Service{Name: "widget-operator", Instance: "pod"})
	if err != nil || off.Telemetry.MeterProvider != nil || off.Telemetry.TracerProvider != nil || log.Len() > 0 {
		t.Errorf("off, it is %+v: %v, and logs %s", off, err, &log)
	}
	on, err := start(ctx, t, program.Service{Name: "widget-operator", Instance: "pod", Metrics: true})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "[foo]") {
		t.Errorf("the log does not say what is missing: %s", &log)
	}
	answer := httptest.NewRecorder()
	on.Metrics.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	for _, text := range []string{`service_name="widget-operator"`, `service_instance_id="pod"`, "go_goroutines ", "process_cpu_seconds_total "} {
		if !strings.Contains(answer.Body.String(), text) {
			t.Errorf("%s is not served:\n%s", text, answer.Body)
		}
	}
	if err := on.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func start(ctx context.Context, t *testing.T, service program.Service) (program.Exports, error) {
	t.Helper()
	tel, err := parse(t)
	if err != nil {
		t.Fatal(err)
	}
	return tel.Start(ctx, service)
}

func TestEveryLineOfAJSONLogIsJSONAlsoOpenTelemetrysAndAddressesAreText(t *testing.T) {
	t.Cleanup(func() { // what the process's SetLogger sets
		otel.SetLogger(logr.Discard())
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
		klog.ClearLogger()
	})
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadRequest) }))
	defer refuses.Close()
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "foo")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	log := &lines{until: map[string]bool{"Serving health": false, "Serving metrics": false, "Telemetry failed": false}, done: cancel}
	process := program.CurrentProcess()
	process.Args = []string{
		"-log-format=json", "-health-addr=127.0.0.1:0", "-metrics-addr=127.0.0.1:0", "-otlp-metrics", "-otlp-endpoint=" + refuses.URL,
	}
	process.Stderr, process.Signals = log, nil
	process.LoadConfig = func(string) (*rest.Config, error) { return &rest.Config{Host: refuses.URL}, nil }
	options := program.Options{Name: "widget-operator", Telemetry: telemetry.New()}
	if err := program.Run(ctx, options, process, func(*controller.Manager) error { return nil }); err != nil {
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
