// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/lanyard-k8s/lanyard/controller/internal/answer"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// writes tells observers what became of the writes of items. Observers know when the caller reads the end of the
// answer, and so before it goes on.
type writes struct {
	observers observe.Observers
	known     func(call *observe.Call) (version string) // nil: nothing is known before
	dry       bool                                      // nothing is written
	buffers   sync.Pool
}

// begins notes what is known of the object that an item is about to write. It reports whether the call is
// such a write.
func (w *writes) begins(c *call) bool {
	if w.dry || c.Unit == nil || c.Unit.Kind != report.Item || c.Path != "" || len(w.observers) == 0 ||
		apicall.ReadOnly(&c.Call.Call) || apicall.Connects(&c.Call.Call) ||
		strings.Contains(c.req.URL.RawQuery, "dryRun=") {
		return false
	}
	if c.Name != "" {
		c.before = w.before(c)
	}
	return true
}

// before returns the version of the object that a write is about, if that is known: from an earlier write of
// the item, from a cache, or because an update says it.
func (w *writes) before(c *call) string {
	version := c.Unit.LastWrote(collectionPath(c.req.URL.Path, &c.Call.Call), c.Name)
	if version == "" && w.known != nil {
		version = w.known(&c.Call)
	}
	if version == "" && c.Verb == "update" {
		version = objectIn(c.req).ResourceVersion
	}
	return version
}

// ended tells of a write that has failed. One that was answered is told of when its answer has been read.
func (w *writes) ended(ctx context.Context, c *call, resp *http.Response, err error) {
	switch {
	case err != nil, resp.StatusCode >= http.StatusInternalServerError:
		w.tell(ctx, c, w.unknown(c))
	case resp.StatusCode < http.StatusBadRequest: // and not refused
		contentType := resp.Header.Get("Content-Type")
		resp.Body = follow(resp.Body, &w.buffers, func(answer []byte, whole bool) {
			if whole {
				w.tell(ctx, c, w.answered(c, contentType, answer))
			} else {
				w.tell(ctx, c, w.unknown(c))
			}
		})
	}
}

func (w *writes) tell(ctx context.Context, c *call, write *observe.Write) {
	effect := work.Changed
	switch {
	case write.Unknown:
		effect = work.Unknown
	case write.Version != "" && write.Version == write.Before:
		effect = work.WithoutEffect
	}
	c.Unit.Wrote(&c.Call.Call, effect, work.Version{Collection: write.Collection, Name: write.Name, Version: write.Version})
	w.observers.CallWrote(ctx, &c.Call, write)
}

// answered returns what an answer says.
func (w *writes) answered(c *call, contentType string, body []byte) *observe.Write {
	object := answer.Object{Namespace: c.Namespace, Name: c.Name}
	ok := object.Parse(contentType, body)
	write := &observe.Write{
		Collection: collectionPath(c.req.URL.Path, &c.Call.Call), Namespace: object.Namespace, Name: object.Name,
		UID: object.UID, Before: c.before, Answer: body, ContentType: contentType,
	}
	switch {
	case ok && object.UID != "" && object.Status:
		write.Gone = true
		return write
	case ok && !object.Status && object.UID != "" && object.ResourceVersion != "" && object.Name != "":
		write.Version = object.ResourceVersion
		write.Unknown = older(object.ResourceVersion, c.before)
		return write
	}
	return w.unknown(c)
}

// older reports whether a version is older than another. Versions that are no numbers are not.
func older(version, than string) bool {
	order, err := resourceversion.CompareResourceVersion(version, than)
	return err == nil && order < 0
}

// unknown returns what the request says.
func (w *writes) unknown(c *call) *observe.Write {
	write := &observe.Write{
		Unknown: true, Collection: collectionPath(c.req.URL.Path, &c.Call.Call),
		Namespace: c.Namespace, Name: c.Name, Before: c.before,
	}
	switch c.Verb {
	case "create":
		if write.Name == "" {
			write.Name = objectIn(c.req).Name
		}
	case "deletecollection":
		query := c.req.URL.Query()
		write.Selector = query.Get("labelSelector")
		write.Fields = query.Get("fieldSelector")
	}
	return write
}

// objectIn returns what the object in the body of a request says. The name of one that is to be created is
// empty if the API server is to make one up.
func objectIn(req *http.Request) answer.Object {
	if req.GetBody == nil {
		return answer.Object{}
	}
	body, err := req.GetBody()
	if err != nil {
		return answer.Object{}
	}
	defer func() { _ = body.Close() }()
	read, err := io.ReadAll(body)
	if err != nil {
		return answer.Object{}
	}
	object, _ := answer.Parse(req.Header.Get("Content-Type"), read)
	return object
}

// collectionPath returns the part of a URL's path that names the collection.
func collectionPath(path string, call *report.Call) string {
	path = strings.TrimSuffix(path, "/")
	if _, subresource, ok := strings.Cut(call.Resource, "/"); ok {
		path = strings.TrimSuffix(path, "/"+subresource)
	}
	if call.Name != "" {
		path = strings.TrimSuffix(path, "/"+call.Name)
	}
	return path
}
