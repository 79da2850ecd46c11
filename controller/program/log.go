// SPDX-License-Identifier: Apache-2.0

package program

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2/textlogger"
)

// The values of -log-format.
const (
	formatText = "text"
	formatJSON = "json"
)

// newLogger makes the logger that the root context carries into everything.
func newLogger(format string, verbosity int, output io.Writer) (logr.Logger, error) {
	switch format {
	case formatText:
		return textlogger.NewLogger(
			textlogger.NewConfig(textlogger.Verbosity(verbosity), textlogger.Output(output)),
		), nil
	case formatJSON:
		return logr.FromSlogHandler(jsonHandler(output, verbosity)), nil
	default:
		return logr.Logger{}, fmt.Errorf("unknown log format %q: use text or json", format)
	}
}

// jsonHandler writes lines with the levels that log stores know: DEBUG, INFO and ERROR. logr's verbosity n
// is slog's level -n, which slog would write as DEBUG+3 for a verbosity of 1. Here such a line has the
// level DEBUG, and its verbosity in the attribute v.
func jsonHandler(output io.Writer, verbosity int) slog.Handler {
	return slog.NewJSONHandler(output, &slog.HandlerOptions{
		Level: slog.Level(-verbosity),
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			level, ok := attr.Value.Any().(slog.Level)
			if len(groups) > 0 || attr.Key != slog.LevelKey || !ok || level >= slog.LevelInfo {
				return attr
			}
			return slog.Group("", // which is inlined
				slog.String(slog.LevelKey, slog.LevelDebug.String()), slog.Int("v", -int(level)))
		},
	})
}
