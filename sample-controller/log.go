package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2/textlogger"
)

// newLogger makes the logger that the root context carries into everything.
func newLogger(format string, verbosity int, output io.Writer) (logr.Logger, error) {
	switch format {
	case "text":
		return textlogger.NewLogger(textlogger.NewConfig(textlogger.Verbosity(verbosity), textlogger.Output(output))), nil
	case "json":
		level := slog.Level(-verbosity) // logr's verbosity n is slog's level -n
		return logr.FromSlogHandler(slog.NewJSONHandler(output, &slog.HandlerOptions{Level: level})), nil
	default:
		return logr.Logger{}, fmt.Errorf("unknown log format %q: use text or json", format)
	}
}
