// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"fmt"
	"net/http"
)

// Checks are what the probes ask. A *controller.Manager implements it.
type Checks interface {
	// Healthy returns an error if the process should be restarted.
	Healthy() error
	// Ready returns an error while the process cannot do its work yet.
	Ready() error
}

// Health returns a handler of the probes of a pod: GET /healthz for the liveness probe and GET /readyz
// for the readiness probe. The status is 200, or 503 with the text of the error.
func Health(checks Checks) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", probe(checks.Healthy))
	mux.HandleFunc("GET /readyz", probe(checks.Ready))
	return mux
}

func probe(check func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := check(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok") // a probe that has gone away needs no answer
	}
}
