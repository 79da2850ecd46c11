// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

func (p *page) serveSnapshot(w http.ResponseWriter, _ *http.Request) { writeJSON(w, p.snapshot()) }

func (p *page) serveEvents(w http.ResponseWriter, r *http.Request) {
	if !p.viewers.enter(p.options.Viewers) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many viewers follow this page already", http.StatusServiceUnavailable)
		return
	}
	defer func() {
		if p.viewers.leave() {
			p.frames.forget()
		}
	}()
	sendEvents(w, r, p.frames, p.options.SlowViewer)
}

func (p *page) serveStories(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	request := reconcile.Request{Namespace: query.Get("namespace"), Name: query.Get("name")}
	if request.Name == "" || strings.Contains(request.Name, "/") {
		http.Error(w, "name the object: ?namespace=N&name=M", http.StatusBadRequest)
		return
	}
	t := p.tell(request)
	if query.Get("format") != "text" {
		writeJSON(w, t)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(t.Text))
}

func writeJSON(w http.ResponseWriter, answer any) {
	encoded, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(encoded, '\n'))
}
