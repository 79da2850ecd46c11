// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// The limits of each request. A client that is slow or silent is disconnected, so that it cannot
// hold a connection for ever.
const (
	headerTime = 5 * time.Second
	readTime   = 10 * time.Second
	writeTime  = 30 * time.Second
	idleTime   = 2 * time.Minute // more than the usual interval of scrapes and probes
	headerSize = 16 << 10
)

// answerTime is how long a request that is being answered at the end may take.
const answerTime = 200 * time.Millisecond

// Server serves HTTP while its Run function runs. Each request has limits: 5 seconds and 16 KiB for
// its header, 10 seconds for all of it, and WriteTimeout for the answer. A connection without a
// request is closed after two minutes.
type Server struct {
	// Name says in log lines and errors what is served, such as "health".
	Name string

	// Address is where to listen, as host:port. Without a host it is all addresses of the machine;
	// port 0 is a free port, which the log names.
	Address string

	// Handler answers the requests. The contexts of requests descend from that of Run. It is required:
	// net/http would answer with a handler that is one for the whole process.
	Handler http.Handler

	// TLS says with which certificate to serve. Default: nil, for no TLS.
	TLS *TLS

	// Guard lets through only requests whose sender may make them. It needs TLS, because whoever listens could use
	// the tokens. Default: nil, which lets all through.
	Guard *Guard

	// WriteTimeout limits the time from the end of a request's header to the end of its answer.
	// Default: 30 seconds.
	WriteTimeout time.Duration

	// Remedy says, at the end of the error for an address that cannot be had, how to choose another,
	// such as "-health-addr names another address". Default: none.
	Remedy string
}

// Run serves until ctx ends. A request that is being answered then has another 200 milliseconds. Run
// returns an error at once if the address cannot be had, for example because it is in use. It has the
// signature that controller.Manager.AddServer takes.
func (s *Server) Run(ctx context.Context) error {
	if s.Handler == nil {
		return fmt.Errorf("serve %s on %s: set Server.Handler", s.Name, s.Address)
	}
	if s.Guard != nil && s.TLS == nil {
		return fmt.Errorf("serve %s on %s: set Server.TLS, because Server.Guard needs it", s.Name, s.Address)
	}
	server := s.server(ctx)
	if err := s.secure(ctx, server); err != nil {
		return fmt.Errorf("serve %s on %s: %w", s.Name, s.Address, err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Address)
	if err != nil {
		err = fmt.Errorf("serve %s on %s: %w", s.Name, s.Address, err)
		if s.Remedy != "" {
			err = fmt.Errorf("%w (%s)", err, s.Remedy)
		}
		return err
	}
	klog.FromContext(ctx).Info("Serving "+s.Name, "address", listener.Addr().String())
	return s.serve(ctx, server, listener)
}

// secure sets the server's certificate, and asks whether its guard can work.
func (s *Server) secure(ctx context.Context, server *http.Server) error {
	if s.TLS != nil {
		certificate, err := s.TLS.open(klog.FromContext(ctx).WithValues("server", s.Name))
		if err != nil {
			return err
		}
		certificate.secure(server)
	}
	if s.Guard != nil {
		server.Handler = s.Guard.Handler(s.Handler)
		return s.Guard.Check(ctx)
	}
	return nil
}

// serve closes listener.
func (s *Server) serve(ctx context.Context, server *http.Server, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() {
		if s.TLS != nil {
			failed <- server.ServeTLS(listener, "", "")
		} else {
			failed <- server.Serve(listener)
		}
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s on %s: %w", s.Name, s.Address, errors.Join(err, server.Close()))
	case <-ctx.Done():
	}
	// The end has come, but a request that is being answered may have its answer. Whoever is
	// connected and asks nothing is not waited for any longer.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close() // what is still open is closed, whatever comes of it
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s on %s: %w", s.Name, s.Address, err)
	}
	return nil
}

func (s *Server) server(ctx context.Context) *http.Server {
	logger := klog.FromContext(ctx).WithValues("server", s.Name)
	return &http.Server{
		Handler:           s.Handler,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		WriteTimeout:      cmp.Or(s.WriteTimeout, writeTime),
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerSize,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		// Otherwise it is the standard library's log, whose lines have another format.
		ErrorLog: slog.NewLogLogger(logr.ToSlogHandler(logger), slog.LevelInfo),
	}
}
