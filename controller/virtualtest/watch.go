// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/watch"
)

const (
	// bookmarkPeriod is that of a real API server.
	bookmarkPeriod = time.Minute
	// watchTimeout is for a watch that does not say how long it lasts. A real API server takes 30 to 60 minutes.
	watchTimeout = 30 * time.Minute
)

// stream is the body of a watch's answer: an event a line, as they come.
type stream struct {
	ended     <-chan struct{} // the request, which ends what is read of its answer
	why       func() error    // it has ended
	store     *store
	resource  *Resource
	selection *selection
	form      form

	seen      int64 // what has happened up to here has been sent
	bookmarks bool
	ends      *time.Timer
	bookmark  *time.Ticker
	closed    chan struct{}
	cut       <-chan struct{}
	unread    []byte
	over      bool
}

// newStream begins a watch. The store is not locked.
func newStream(ctx context.Context, s *store, r *Resource, req *request) (*stream, error) {
	selected, err := selectionOf(req.Call, req.query, r)
	if err != nil {
		return nil, err
	}
	timeout, err := timeoutOf(req.query)
	if err != nil {
		return nil, err
	}
	w := &stream{
		ended: ctx.Done(), why: func() error { return context.Cause(ctx) }, store: s, resource: r, selection: selected, form: formOf(req.accept),
		bookmarks: isTrue(req.query, "allowWatchBookmarks"), closed: make(chan struct{}),
	}
	if err := w.begin(req.query); err != nil {
		return nil, err
	}
	w.ends = time.NewTimer(timeout)
	w.bookmark = time.NewTicker(bookmarkPeriod)
	return w, nil
}

func isTrue(query url.Values, name string) bool {
	is, err := strconv.ParseBool(query.Get(name))
	return err == nil && is
}

func timeoutOf(query url.Values) (time.Duration, error) {
	text := query.Get("timeoutSeconds")
	if text == "" {
		return watchTimeout, nil
	}
	seconds, err := strconv.Atoi(text)
	if err != nil {
		return 0, apierrors.NewBadRequest("timeoutSeconds: " + err.Error())
	}
	return time.Duration(seconds) * time.Second, nil
}

// begin writes the events of the start: the objects that there are, unless the watch starts at a version.
func (w *stream) begin(query url.Values) error {
	initial := isTrue(query, "sendInitialEvents")
	if initial && query.Get("resourceVersionMatch") != string(metav1.ResourceVersionMatchNotOlderThan) {
		return apierrors.NewBadRequest(
			"sendInitialEvents needs the resourceVersionMatch NotOlderThan")
	}
	version, err := versionOf(query)
	if err != nil {
		return err
	}
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.cut = w.store.cut
	if version > w.store.version {
		return tooNew(version, w.store.version)
	}
	if version != 0 && !initial {
		w.seen = version
		if version < w.store.forgot {
			w.over = true
			w.send(watch.Error, statusOf(apierrors.NewResourceExpired("too old resource version: "+strconv.FormatInt(version, 10))))
		}
		return nil
	}
	w.seen = w.store.version
	if query.Has("sendInitialEvents") && !initial {
		return nil
	}
	for _, o := range w.store.list(w.resource.groupResource(), w.selection.namespace) {
		if w.selection.has(o) {
			w.send(watch.Added, w.form.of(o, w.resource))
		}
	}
	if initial && w.bookmarks {
		w.mark(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	}
	return nil
}

// send adds an event to what is to be read.
func (w *stream) send(kind watch.EventType, object any) {
	line, err := json.Marshal(map[string]any{"type": string(kind), "object": object})
	if err != nil {
		panic(err) // it came as JSON
	}
	w.unread = append(append(w.unread, line...), '\n')
}

// mark sends a bookmark.
func (w *stream) mark(annotations map[string]string) {
	o := emptyObject(w.resource.gvk())
	o.SetResourceVersion(strconv.FormatInt(w.seen, 10))
	o.SetAnnotations(annotations)
	o.Object["metadata"].(map[string]any)["creationTimestamp"] = nil
	w.send(watch.Bookmark, w.form.of(o, w.resource))
}

// Read waits for events.
func (w *stream) Read(p []byte) (int, error) {
	for len(w.unread) == 0 {
		if w.over {
			return 0, io.EOF
		}
		changes, newest, news := w.store.since(w.seen)
		w.sendAll(changes)
		w.seen = newest
		if len(w.unread) > 0 {
			break
		}
		if err := w.wait(news); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.unread)
	w.unread = w.unread[n:]
	return n, nil
}

func (w *stream) sendAll(changes []change) {
	of := w.resource.groupResource()
	for _, c := range changes {
		if c.resource != of {
			continue
		}
		kind, seen := w.selection.event(c)
		if !seen {
			continue
		}
		o := c.object
		if kind == watch.Deleted && c.kind != watch.Deleted { // it is as it was when it was selected
			o = c.before.DeepCopy()
			o.SetResourceVersion(c.object.GetResourceVersion())
		}
		w.send(kind, w.form.of(o, w.resource))
	}
}

// wait returns when there is something to send, or the watch is over.
func (w *stream) wait(news <-chan struct{}) error {
	select {
	case <-w.ended:
		return w.why()
	case <-w.closed:
		return http.ErrBodyReadAfterClose
	case <-news:
	case <-w.cut:
		w.over = true
	case <-w.ends.C:
		w.over = true
	case <-w.bookmark.C:
		if w.bookmarks {
			w.mark(nil)
		}
	}
	return nil
}

// Close ends the watch. The client calls it once.
func (w *stream) Close() error {
	select {
	case <-w.closed:
	default:
		close(w.closed)
		w.ends.Stop()
		w.bookmark.Stop()
	}
	return nil
}
