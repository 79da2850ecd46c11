// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"context"
	"fmt"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"time"
)

// The length of a profile that takes time, in seconds.
const (
	profileSeconds    = 30
	maxProfileSeconds = 120
)

// Profiles returns a handler of profiles of the process, for go tool pprof: GET /debug/pprof/profile for the use of
// CPU time, /debug/pprof/trace for an execution trace, and /debug/pprof/NAME for each profile of runtime/pprof, such
// as heap and goroutine. seconds=N says how long the first two take; debug=N is that of runtime/pprof.
//
// It does the same as net/http/pprof, which has a side effect: it adds itself to the http.DefaultServeMux of each
// program that imports it.
func Profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/{$}", listProfiles)
	mux.HandleFunc("GET /debug/pprof/profile", func(w http.ResponseWriter, r *http.Request) {
		recordFor(w, r, func() error { return pprof.StartCPUProfile(w) }, pprof.StopCPUProfile)
	})
	mux.HandleFunc("GET /debug/pprof/trace", func(w http.ResponseWriter, r *http.Request) {
		recordFor(w, r, func() error { return trace.Start(w) }, trace.Stop)
	})
	mux.HandleFunc("GET /debug/pprof/{name}", serveProfile)
	return mux
}

func listProfiles(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(w, "profile\ntrace")
	for _, p := range pprof.Profiles() {
		_, _ = fmt.Fprintln(w, p.Name())
	}
}

func serveProfile(w http.ResponseWriter, r *http.Request) {
	p := pprof.Lookup(r.PathValue("name"))
	if p == nil {
		http.Error(w, fmt.Sprintf("there is no profile %q", r.PathValue("name")), http.StatusNotFound)
		return
	}
	debug, _ := strconv.Atoi(r.FormValue("debug")) // 0 if there is none
	if debug == 0 {
		asFile(w, p.Name())
	} else {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	_ = p.WriteTo(w, debug) // it fails if the client has gone
}

// recordFor records for some time, or until the client goes away.
func recordFor(w http.ResponseWriter, r *http.Request, start func() error, stop func()) {
	seconds, err := strconv.Atoi(r.FormValue("seconds"))
	if err != nil || seconds <= 0 {
		seconds = profileSeconds
	}
	length := time.Duration(min(seconds, maxProfileSeconds)) * time.Second
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(length + writeTime))
	asFile(w, "profile")
	if err := start(); err != nil {
		w.Header().Del("Content-Disposition")
		http.Error(w, err.Error(), http.StatusConflict) // somebody else records
		return
	}
	defer stop()
	ctx, cancel := context.WithTimeout(r.Context(), length)
	defer cancel()
	<-ctx.Done()
}

func asFile(w http.ResponseWriter, name string) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
}
