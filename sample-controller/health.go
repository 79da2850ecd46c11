// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
)

// answerTime is how long a probe that is being answered at the end may take.
const answerTime = 200 * time.Millisecond

// serveHealth serves the probes of the pod: /healthz while no controller is stuck, /readyz once the
// caches are full.
func serveHealth(address string, m *controller.Manager) func(context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", probe(m.Healthy))
	mux.HandleFunc("GET /readyz", probe(m.Ready))
	return serve("health", address, mux)
}

// serveMetrics serves /metrics to Prometheus.
func serveMetrics(address string, metrics http.Handler) func(context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	return serve("metrics", address, mux)
}

// serve is a runnable that serves what the flag -NAME-addr says where.
func serve(name, address string, mux *http.ServeMux) func(context.Context) error {
	return func(ctx context.Context) error {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf(
				"serve %s on %s: %w (-%s-addr names another address)",
				name,
				address,
				err,
				name,
			)
		}
		klog.FromContext(ctx).Info("Serving "+name, "address", listener.Addr().String())
		server := &http.Server{
			Handler:           mux,
			ReadHeaderTimeout: 5 * time.Second,
			BaseContext:       func(net.Listener) context.Context { return ctx },
		}

		failed := make(chan error, 1)
		go func() { failed <- server.Serve(listener) }()
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
		}
		// The end has come, but a probe that is being answered may have its answer. Whoever is
		// connected and asks nothing is not waited for any longer.
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
		defer cancel()
		err = server.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		if serveErr := <-failed; !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
		return err
	}
}

func probe(check func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := check(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok") // a probe that has gone away needs no answer
	}
}
