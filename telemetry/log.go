// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// SetLogger has what OpenTelemetry's SDK says in a log. It is for the whole process: program.Run calls
// it where the process's loggers may be set.
func (t *Telemetry) SetLogger(logger logr.Logger) {
	otel.SetLogger(logger)
	otel.SetErrorHandler(
		otel.ErrorHandlerFunc(func(err error) { logger.Info("Telemetry failed", "err", err) }),
	)
}
