// SPDX-License-Identifier: Apache-2.0

package conns

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"
)

const pods = "https://server.invalid/api/v1/pods"

// handler is an API server that needs no connection.
type handler func(*http.Request) (*http.Response, error)

func (h handler) RoundTrip(req *http.Request) (*http.Response, error) { return h(req) }

func request(t *testing.T, ctx context.Context, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestC25ACallWhoseTurnDoesNotComeWaitsNoLongerThanItsContext(t *testing.T) {
	turn := newSingleDial(handler(func(req *http.Request) (*http.Response, error) {
		if req.Context().Value(mayDialKey{}) == nil {
			return nil, errMayNotDial{}
		}
		<-req.Context().Done() // a network that answers nothing
		return nil, req.Context().Err()
	}))
	first, cancelFirst := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = turn.RoundTrip(request(t, first, "GET", pods)) //nolint:bodyclose // it has none
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := turn.RoundTrip(request(t, ctx, "GET", pods)); !errors.Is(err, context.DeadlineExceeded) { //nolint:bodyclose // it has none
		t.Errorf("the call returned %v", err)
	}
	cancelFirst()
	<-ended
}
