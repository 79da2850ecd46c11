// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"k8s.io/klog/v2/textlogger"
)

// newLogger makes the logger that the root context carries into everything.
func newLogger(format string, verbosity int, output io.Writer) (logr.Logger, error) {
	switch format {
	case "text":
		return textlogger.NewLogger(
			textlogger.NewConfig(textlogger.Verbosity(verbosity), textlogger.Output(output)),
		), nil
	case "json":
		level := slog.Level(-verbosity) // logr's verbosity n is slog's level -n
		return logr.FromSlogHandler(
			slog.NewJSONHandler(output, &slog.HandlerOptions{Level: level}),
		), nil
	default:
		return logr.Logger{}, fmt.Errorf("unknown log format %q: use text or json", format)
	}
}

// setUpOpenTelemetrysLog has what OpenTelemetry's SDK has to say in the log, whatever its format.
// It speaks for the process, and without this to the standard library's log.
func setUpOpenTelemetrysLog(logger logr.Logger) {
	otel.SetLogger(logger)
	otel.SetErrorHandler(
		otel.ErrorHandlerFunc(func(err error) { logger.Info("Telemetry failed", "err", err) }),
	)
}
