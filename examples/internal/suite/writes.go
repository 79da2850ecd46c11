// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"net/http"
	"sync"
)

// writes is the writes of an operator that the API server was sent.
type writes struct {
	mu   sync.Mutex
	seen []string
}

func (w *writes) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

func (w *writes) wrap(next http.RoundTripper) http.RoundTripper { return &listing{next, w} }

// listing lists writes on their way.
type listing struct {
	http.RoundTripper
	writes *writes
}

// WrappedRoundTripper lets the manager find the connections below, to close them at its end.
func (l *listing) WrappedRoundTripper() http.RoundTripper { return l.RoundTripper }

// RoundTrip sends a request.
func (l *listing) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet {
		l.writes.mu.Lock()
		l.writes.seen = append(l.writes.seen, request.Method+" "+request.URL.Path)
		l.writes.mu.Unlock()
	}
	return l.RoundTripper.RoundTrip(request)
}
