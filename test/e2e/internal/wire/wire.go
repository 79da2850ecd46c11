// SPDX-License-Identifier: Apache-2.0

// Package wire is between clients and an API server: watches come late, and answers get lost.
package wire

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Wire is what requests pass. What it does is set before that, but for what has a method.
type Wire struct {
	// Lag returns by how much the next events of a watch are late. Nil: [Wire.SetLag] says.
	Lag func() time.Duration
	// Cut reports whether the answer to a request, which the API server has given, gets lost. Nil: never.
	Cut func(*http.Request) bool
	// Refuse reports whether a request is answered with 503, without the API server. Nil: never.
	Refuse func(*http.Request) bool
	// Answered is told of each answer, which it may change. Nil: nobody is.
	Answered func(*http.Request, *http.Response)

	lag    atomic.Int64 // by which watches are late, in nanoseconds
	gate   gate
	broken gate
}

// Lagging returns a wire on which watches are late by a time.
func Lagging(by time.Duration) *Wire {
	w := &Wire{}
	w.SetLag(by)
	return w
}

// SetLag has watches be late by a time from now on.
func (w *Wire) SetLag(by time.Duration) { w.lag.Store(int64(by)) }

// Hold keeps what watches give from now on, until release is called.
func (w *Wire) Hold() (release func()) { return w.gate.shut() }

// Break ends all watches. New ones can begin.
func (w *Wire) Break() { w.broken.shut()() }

// Around puts a wire before a transport. It is for [rest.Config.Wrap].
func (w *Wire) Around(next http.RoundTripper) http.RoundTripper { return &wired{w, next} }

type wired struct {
	*Wire
	next http.RoundTripper
}

var errCut = errors.New("connection reset by the test")

// RoundTrip sends a request.
func (w *wired) RoundTrip(req *http.Request) (*http.Response, error) {
	if w.Refuse != nil && w.Refuse(req) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return &http.Response{
			StatusCode: http.StatusServiceUnavailable, Status: "503 Service Unavailable", Proto: "HTTP/1.1", ProtoMajor: 1,
			ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("refused by the test")), Request: req,
		}, nil
	}
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if w.Cut != nil && w.Cut(req) {
		_ = resp.Body.Close()
		return nil, errCut
	}
	if w.Answered != nil {
		w.Answered(req, resp)
	}
	if req.URL.Query().Get("watch") != "" && resp.StatusCode == http.StatusOK {
		resp.Body = w.late(resp.Body)
	}
	return resp, nil
}

// due returns when events that came at a time are to be given.
func (w *Wire) due(came time.Time) time.Time {
	if w.Lag != nil {
		return came.Add(w.Lag())
	}
	return came.Add(time.Duration(w.lag.Load()))
}
