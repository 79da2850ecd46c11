// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// feed is the part of a call that lists or watches for a cache. It tells the informer's streams how
// the call goes: client-go tells the informer of some failures only, and of no success.
type feed struct {
	streams *work.Streams // nil for a call that feeds no cache
	path    string        // of the collection
	opened  bool          // it is a watch that was answered
}

// asksForVersion marks a question for the current version, which feeds nothing.
type asksForVersion struct{}

// feedOf returns the feed of a unit's call.
func feedOf(unit *work.Unit, verb string, req *http.Request) feed {
	if unit == nil || unit.Streams == nil || verb != "list" && verb != "watch" ||
		req.Context().Value(asksForVersion{}) != nil {
		return feed{}
	}
	return feed{streams: unit.Streams, path: collection(req.URL)}
}

// collection identifies what a list or watch is about: the path and the selectors.
func collection(u *url.URL) string {
	query := u.Query()
	return u.Path + "?" + query.Get("labelSelector") + "&" + query.Get("fieldSelector")
}

// answered tells of the answer to a call, or of its error. A call whose context has ended tells
// nothing.
func (f *feed) answered(ctx context.Context, call *report.Call, resp *http.Response, err error) {
	if f.streams == nil || ctx.Err() != nil {
		return
	}
	name := call.Resource
	if call.Namespace != "" {
		name += " in " + call.Namespace
	}
	switch {
	case err != nil:
		f.streams.Failed(f.path, name, err)
	case resp.StatusCode == http.StatusGone:
		// It is routine: the reflector lists anew.
	case resp.StatusCode >= http.StatusBadRequest:
		f.streams.Failed(f.path, name, &statusError{resp.StatusCode})
	case call.Verb == "list":
		f.streams.Listed(f.path, name)
	default:
		f.opened = true
		f.streams.Opened(f.path, name)
	}
}

// close tells that the call has ended.
func (f *feed) close() {
	if f.opened {
		f.streams.Closed(f.path)
	}
}

// statusError is the status of an answer. Its body is the caller's.
type statusError struct{ code int }

func (e *statusError) Error() string {
	return fmt.Sprintf("the API server answered %d %s", e.code, http.StatusText(e.code))
}

// Status lets the functions of k8s.io/apimachinery/pkg/api/errors know the error by its code.
func (e *statusError) Status() metav1.Status {
	return metav1.Status{Status: metav1.StatusFailure, Code: int32(e.code), Message: e.Error()}
}
