package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// oneDial lets one request at a time open a connection. net/http would have each of a burst open one, with its
// TLS handshake, only to find that the first carries them all: at the beginning of a term, after a lost
// connection, and when so many calls have been cancelled at once that the connection is full of streams that the
// server still counts.
type oneDial struct {
	next http.RoundTripper
	turn chan struct{} // holds an element while a request may dial
}

// notYourTurn is what a request gets that would have to dial. It has not been sent.
type notYourTurn struct{}

func (notYourTurn) Error() string { return "another request opens the connection" }

type turnKey struct{}

// inTurns makes connections only for requests that have their turn. It goes below a oneDial.
func inTurns(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if ctx.Value(turnKey{}) == nil {
			return nil, notYourTurn{}
		}
		return dial(ctx, network, address)
	}
}

func newOneDial(next http.RoundTripper) http.RoundTripper {
	return &oneDial{next: next, turn: make(chan struct{}, 1)}
}

// WrappedRoundTripper lets others find the transport below.
func (d *oneDial) WrappedRoundTripper() http.RoundTripper { return d.next }

func (d *oneDial) RoundTrip(req *http.Request) (*http.Response, error) {
	if !canRewind(req) {
		return d.inTurn(req)
	}
	resp, err := d.next.RoundTrip(req)
	if !errors.Is(err, notYourTurn{}) {
		return resp, err
	}
	again, err := rewind(req) // its body has been closed
	if err != nil {
		return nil, err
	}
	return d.inTurn(again)
}

// inTurn sends a request that may dial. Its turn ends once it has a connection, which by then is there for all:
// the next finds it.
func (d *oneDial) inTurn(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		if req.Body != nil {
			_ = req.Body.Close() // as a RoundTripper has to
		}
		return nil, ctx.Err()
	}
	over := sync.OnceFunc(func() { <-d.turn }) //ctxvet:ok ctxblock: its own element is there
	defer over()
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { over() }}
	ctx = context.WithValue(httptrace.WithClientTrace(ctx, trace), turnKey{}, true)
	return d.next.RoundTrip(req.WithContext(ctx))
}
