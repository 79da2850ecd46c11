// SPDX-License-Identifier: Apache-2.0

package serve

import "net/http"

// Metrics returns a handler that has metrics answer GET /metrics, and nothing else.
func Metrics(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	return mux
}
