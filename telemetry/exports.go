// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
)

// exportTimeout bounds what is sent at the very end. The manager has flushed before.
const exportTimeout = 2 * time.Second

// exports are what exports, and has to be shut down at the end.
type exports struct {
	controller.Telemetry
	served   http.Handler // the metrics in Prometheus form; nil for none
	shutdown []func(context.Context) error
}

// stop sends what is left and ends the exporters. ctx may have ended.
func (e *exports) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTimeout)
	defer cancel()
	var errs []error
	for _, shutdown := range e.shutdown {
		errs = append(errs, shutdown(ctx))
	}
	return errors.Join(errs...)
}
