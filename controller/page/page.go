// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"net/http"
	"time"
)

// New returns the handler of a page. Its paths are relative: to have it at another path than /, use
// [http.StripPrefix]. It answers:
//   - GET / with the page, and the files that it needs;
//   - GET /snapshot with a [snapshot.Snapshot] as JSON;
//   - GET /stories?namespace=N&name=M with what is known of an object, as JSON with a text, or with the text alone if
//     format=text is given;
//   - GET /events with snapshots, as server-sent events;
//   - GET /save with all of it in one file.
//
// Requests that a browser makes for a page of another origin are refused.
func New(source Source, options Options) http.Handler {
	p := &page{source: source, options: options}
	p.options.Name = cmp.Or(options.Name, "Lanyard")
	p.options.Interval = cmp.Or(options.Interval, 500*time.Millisecond)
	p.options.Viewers = cmp.Or(options.Viewers, 8)
	p.options.SlowViewer = cmp.Or(options.SlowViewer, 5*time.Second)
	p.frames = &frames{snapshot: func() any { return p.snapshot() }, interval: p.options.Interval}
	mux := http.NewServeMux()
	for path, file := range map[string]asset{
		"GET /{$}":      {"assets/index.html", "text/html; charset=utf-8"},
		"GET /page.js":  {"assets/page.js", "text/javascript; charset=utf-8"},
		"GET /page.css": {"assets/page.css", "text/css; charset=utf-8"},
		"GET /icon.svg": {"assets/icon.svg", "image/svg+xml"},
	} {
		mux.Handle(path, file)
	}
	mux.HandleFunc("GET /snapshot", p.serveSnapshot)
	mux.HandleFunc("GET /stories", p.serveStories)
	mux.HandleFunc("GET /events", p.serveEvents)
	mux.HandleFunc("GET /save", p.serveSaved)
	return guarded(mux)
}
