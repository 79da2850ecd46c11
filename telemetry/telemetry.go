// SPDX-License-Identifier: Apache-2.0

// Package telemetry exports the traces and metrics of a program: traces and metrics by OTLP over HTTP to
// an OpenTelemetry collector, and metrics in Prometheus form. It is a module of its own, so that only
// programs that export need the exporters:
//
//	program.Main(program.Options{Name: "widget-operator", Telemetry: telemetry.New()}, setUp)
package telemetry

import (
	"flag"
	"fmt"
	"net/url"
	"os"
)

// Telemetry exports what a program traces and measures. It implements program.Telemetry. Beside its
// flags, the standard OTEL_* environment variables count. It sets no global provider.
type Telemetry struct {
	otlpEndpoint  string
	traceRatio    float64
	traceAnnotate bool
	traceKeep     bool
	otlpMetrics   bool
}

// New returns the telemetry of a program, which exports what its flags say.
func New() *Telemetry { return &Telemetry{} }

// AddFlags adds -otlp-endpoint, -otlp-metrics, -trace-ratio, -trace-keep and -trace-annotate.
func (t *Telemetry) AddFlags(flags *flag.FlagSet) {
	flags.StringVar(&t.otlpEndpoint, "otlp-endpoint", "", "the URL of the OpenTelemetry collector for "+
		"traces, such as http://localhost:4318; empty: as OTEL_EXPORTER_OTLP_ENDPOINT says, or no traces")
	flags.BoolVar(&t.otlpMetrics, "otlp-metrics", false, "push metrics to the collector too")
	flags.Float64Var(&t.traceRatio, "trace-ratio", 0.01, "the part of reconciles that is traced, "+
		"beside those that a sampled change led to")
	flags.BoolVar(&t.traceKeep, "trace-keep", false, "of what is traced, send only reconciles that "+
		"wrote, failed, were cancelled, were slow or were linked")
	flags.BoolVar(&t.traceAnnotate, "trace-annotate", false, "write the trace into the objects that "+
		"are changed with tracing.Inject, for others to link to")
}

// Validate refuses settings that could have no effect, or not the one that was meant.
func (t *Telemetry) Validate(flags *flag.FlagSet) error {
	if !(t.traceRatio >= 0 && t.traceRatio <= 1) { // nor NaN
		return fmt.Errorf("-trace-ratio=%v: it is a part of all, from 0 to 1", t.traceRatio)
	}
	if err := t.validateEndpoint(); err != nil {
		return err
	}
	if disabled() { // by someone who need not know the flags
		return nil
	}
	ratio := false
	flags.Visit(func(f *flag.Flag) { ratio = ratio || f.Name == "trace-ratio" })
	for _, flag := range []struct {
		name, signal string
		set          bool
	}{
		{"trace-ratio", traces, ratio},
		{"trace-keep", traces, t.traceKeep},
		{"trace-annotate", traces, t.traceAnnotate},
		{"otlp-metrics", metrics, t.otlpMetrics},
	} {
		if flag.set && !t.collector(flag.signal) {
			return fmt.Errorf("-%s has no effect, because nothing is sent anywhere: name a collector with "+
				"-otlp-endpoint, or with the variable OTEL_EXPORTER_OTLP_ENDPOINT", flag.name)
		}
	}
	return nil
}

func (t *Telemetry) validateEndpoint() error {
	if t.otlpEndpoint == "" {
		return nil
	}
	u, err := url.Parse(t.otlpEndpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("-otlp-endpoint=%s: it has to be a URL, such as http://localhost:4318", t.otlpEndpoint)
	}
	return nil
}

// The signals, as the standard variables name them.
const (
	traces  = "TRACES"
	metrics = "METRICS"
)

// collector reports whether a signal has somewhere to go. Beside the flag, the standard variables say
// where.
func (t *Telemetry) collector(signal string) bool {
	if t.otlpEndpoint != "" {
		return true
	}
	return !disabled() &&
		(os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != "")
}

func disabled() bool { return os.Getenv("OTEL_SDK_DISABLED") == "true" }
