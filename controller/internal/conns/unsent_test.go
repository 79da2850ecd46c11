// SPDX-License-Identifier: Apache-2.0

package conns

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// TestC32WhatAProcessHadNotSentOfItsTermsWritesIsDroppedWithIt closes the socket below the connection, as the
// kernel does when the process is killed.
func TestC32WhatAProcessHadNotSentOfItsTermsWritesIsDroppedWithIt(t *testing.T) {
	fence := term.New(t.Context(), term.Config{Validity: time.Minute, Clock: term.BootTime()}, term.BootTime()())
	defer fence.End(cause.TermResigned, "")
	for name, test := range map[string]struct {
		fence *term.Term
		want  error
	}{
		"of a term": {fence, syscall.ECONNRESET},
		"of none":   {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			var socket net.Conn
			dial := New(Config{Fence: test.fence}).Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
				var err error
				socket, err = new(net.Dialer).DialContext(ctx, network, address)
				return socket, err
			})
			near, err := dial(t.Context(), "tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			far, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer far.Close()
			if _, err := near.Write([]byte("a request")); err != nil {
				t.Fatal(err)
			}
			_ = socket.Close()
			if _, err := io.ReadAll(far); !errors.Is(err, test.want) {
				t.Errorf("the server's end of it ended with %v, want %v", err, test.want)
			}
		})
	}
}
