// SPDX-License-Identifier: Apache-2.0

package program_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/program"
)

// exporting is a telemetry that notes what is asked of it.
type exporting struct {
	export   bool
	refused  error // by Validate
	failed   error // by Start
	provider metric.MeterProvider
	metrics  http.Handler

	service program.Service
	started bool
	stopped int
}

func (e *exporting) AddFlags(flags *flag.FlagSet) {
	flags.BoolVar(&e.export, "export", false, "export it")
}

func (e *exporting) Validate(flags *flag.FlagSet) error {
	if flags.Lookup("leader-elect") == nil || !flags.Parsed() {
		return errors.New("these are not the flags of the program")
	}
	return e.refused
}

func (e *exporting) Start(_ context.Context, service program.Service) (program.Exports, error) {
	if e.failed != nil {
		return program.Exports{}, e.failed
	}
	e.service, e.started = service, true
	return program.Exports{
		Telemetry: controller.Telemetry{MeterProvider: e.provider}, Metrics: e.metrics,
		Stop: func(context.Context) error { e.stopped++; return errors.New("the collector is away") },
	}, nil
}

func TestTheTelemetryIsStoppedHoweverTheProgramEnds(t *testing.T) {
	broken := errors.New("broken")
	for name, setUp := range map[string]func(*controller.Manager) error{
		"by itself": nil,
		"in set-up": func(*controller.Manager) error { return broken },
		"in a run": func(m *controller.Manager) error {
			m.AddRunnable("fails", func(context.Context) error { return broken })
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancelCause(t.Context())
				defer stop(nil)
				w := newWorld("-health-addr=")
				w.Environment = []string{"POD_NAME=pod", "WIDGET_OPERATOR_EXPORT=true"}
				e := &exporting{provider: metricnoop.NewMeterProvider()}
				want := broken
				if setUp == nil {
					setUp, want = ends(stop), nil
				}
				if err := w.run(ctx, program.Options{Telemetry: e}, setUp); !errors.Is(err, want) {
					t.Errorf("the error is %v", err)
				}
				if e.stopped != 1 || !e.export || e.service != (program.Service{Name: "widget-operator", Instance: "pod"}) {
					t.Errorf("it is %+v", e)
				}
				if text := "Telemetry was not sent"; !regexp.MustCompile(text).MatchString(w.stderr.String()) {
					t.Errorf("the log does not say %q", text)
				}
			})
		})
	}
}

func TestTheManagersTelemetryIsUsedWhereTheProgramsHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		defer stop(nil)
		meters := &asked{MeterProvider: metricnoop.NewMeterProvider()}
		o := program.Options{
			Manager: controller.ManagerOptions{Telemetry: controller.Telemetry{MeterProvider: meters}}, Telemetry: &exporting{},
		}
		if err := newWorld("-health-addr=").run(ctx, o, ends(stop)); err != nil || !meters.asked {
			t.Errorf("it is asked for a meter: %v; %v", meters.asked, err)
		}
	})
}

// asked notes that it was asked for a meter.
type asked struct {
	metric.MeterProvider
	asked bool
}

func (a *asked) Meter(name string, options ...metric.MeterOption) metric.Meter {
	a.asked = true
	return a.MeterProvider.Meter(name, options...)
}

// logging is a telemetry that logs for the whole process.
type logging struct {
	exporting
	set func(logr.Logger)
}

func (l *logging) SetLogger(logger logr.Logger) { l.set(logger) }

func TestTheLoggersOfTheProcessAreSetOnlyWhereTheProgramMay(t *testing.T) {
	for name, may := range map[string]bool{"it may": true, "it may not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancelCause(t.Context())
				defer stop(nil)
				var set []string
				w := newWorld("-health-addr=")
				if may {
					w.SetLogger = func(logr.Logger) { set = append(set, "process") }
				}
				l := &logging{set: func(logr.Logger) { set = append(set, "telemetry") }}
				if err := w.run(ctx, program.Options{Telemetry: l}, ends(stop)); err != nil {
					t.Error(err)
				}
				if got := strings.Join(set, ", "); may && got != "process, telemetry" || !may && got != "" {
					t.Errorf("set are those of: %s", got)
				}
			})
		})
	}
}

func TestATelemetryThatCannotStartIsAnError(t *testing.T) {
	for text, e := range map[string]*exporting{
		"refused (-help lists the flags)":         {refused: errors.New("refused")},
		"start the telemetry: failed":             {failed: errors.New("failed")},
		"has no metrics to serve: leave the flag": {},
	} {
		w := newWorld("-health-addr=", "-metrics-addr=127.0.0.1:0")
		err := w.run(t.Context(), program.Options{Telemetry: e}, nil)
		if err == nil || !regexp.MustCompile(regexp.QuoteMeta(text)).MatchString(err.Error()) {
			t.Errorf("the error is %v, want %q", err, text)
		}
		if e.started && e.stopped != 1 {
			t.Error("what has started is not stopped")
		}
	}
}

func TestMetricsAndProbesAreServedAtTheirAddresses(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	w := newWorld("-health-addr=127.0.0.1:0", "-metrics-addr=127.0.0.1:0")
	e := &exporting{metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "up 1") })}
	done := make(chan error, 1)
	go func() {
		done <- w.run(ctx, program.Options{Telemetry: e}, func(*controller.Manager) error { return nil })
	}()
	for _, c := range []struct{ name, path, body string }{
		{"health", "/healthz", "ok\n"}, {"health", "/readyz", "ok\n"}, {"metrics", "/metrics", "up 1"}, {"metrics", "/healthz", "404 page not found\n"},
	} {
		if got := get(t, "http://"+w.awaitAddress(t, c.name)+c.path); got != c.body {
			t.Errorf("%s of %s is %q", c.path, c.name, got)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !e.service.Metrics {
		t.Error("the telemetry was not told that metrics will be served")
	}
}

// awaitAddress waits until the log says where something is served.
func (w *world) awaitAddress(t *testing.T, name string) string {
	t.Helper()
	line := regexp.MustCompile(`"Serving ` + name + `" address="(\S+)"`)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if match := line.FindStringSubmatch(w.stderr.String()); match != nil {
			return match[1]
		}
	}
	t.Fatalf("%s is not served:\n%s", name, &w.stderr)
	return ""
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
