package transport

import (
	"net/http"
	"net/http/httptrace"
	"sync"
)

// oneDial lets requests through one after the other until there is a connection. Of a burst, as at the
// beginning of a term, net/http would have each open one, with its TLS handshake, only to find that the first
// carries them all.
type oneDial struct {
	next      http.RoundTripper
	turn      chan struct{} // holds an element while a request has its turn
	connected chan struct{} // closed once there has been a connection
	once      sync.Once
}

func newOneDial(next http.RoundTripper) *oneDial {
	return &oneDial{next: next, turn: make(chan struct{}, 1), connected: make(chan struct{})}
}

// WrappedRoundTripper lets others find the transport below.
func (d *oneDial) WrappedRoundTripper() http.RoundTripper { return d.next }

func (d *oneDial) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	select {
	case <-d.connected:
		return d.next.RoundTrip(req)
	default:
	}
	select {
	case <-d.connected:
		return d.next.RoundTrip(req)
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		if req.Body != nil {
			_ = req.Body.Close() // as a RoundTripper has to
		}
		return nil, ctx.Err()
	}
	got := func() { d.once.Do(func() { close(d.connected) }) }
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got() }}
	resp, err := d.next.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err == nil {
		got() // from a transport that does not tell
	}
	return resp, err
}
