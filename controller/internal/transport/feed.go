// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"fmt"
	"net/http"
	"net/url"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// feed is the part of a call that lists or watches for a cache. It tells the informer's streams how
// the call goes: client-go tells the informer of some failures only, and of no success.
type feed struct {
	streams *work.Streams // nil for a call that feeds no cache
	path    string        // of the collection
	opened  bool          // it is a watch that was answered
}

// feedOf returns the feed of a call.
func feedOf(c *call) feed {
	if c.Unit == nil || c.Unit.Streams == nil || c.Verb != "list" && c.Verb != "watch" ||
		c.context().Value(asksForVersion{}) != nil {
		return feed{}
	}
	return feed{streams: c.Unit.Streams, path: collection(c.req.URL)}
}

// collection identifies what a list or watch is about: the path and the selectors.
func collection(u *url.URL) string {
	query := u.Query()
	return u.Path + "?" + query.Get("labelSelector") + "&" + query.Get("fieldSelector")
}

// answered tells of the answer to a call, or of its error.
func (c *call) answered(resp *http.Response, err error) {
	if c.feed.streams == nil || c.context().Err() != nil {
		return
	}
	name := c.Resource
	if c.Namespace != "" {
		name += " in " + c.Namespace
	}
	switch {
	case err != nil:
		c.feed.streams.Failed(c.feed.path, name, err)
	case resp.StatusCode == http.StatusGone:
		// It is routine: the reflector lists anew.
	case resp.StatusCode >= http.StatusBadRequest:
		c.feed.streams.Failed(c.feed.path, name, &statusError{resp.StatusCode})
	case c.Verb == "list":
		c.feed.streams.Listed(c.feed.path, name)
	default:
		c.feed.opened = true
		c.feed.streams.Opened(c.feed.path, name)
	}
}

// stopFeeding tells that the call has ended.
func (c *call) stopFeeding() {
	if c.feed.opened {
		c.feed.streams.Closed(c.feed.path)
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
