// SPDX-License-Identifier: Apache-2.0

package conns

import (
	"context"
	"net"
	"testing"
)

func TestWhatIsDialledForAnUpgradeIsForgottenOnceItIsClosed(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	known := New(Config{})
	dial := func() net.Conn {
		t.Helper()
		dialled, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return dialled
	}
	for range 3 {
		dialled := dial()
		known.Adopt(dialled, nil)
		if len(known.conns.conns) != 1 {
			t.Errorf("%d connections are known", len(known.conns.conns))
		}
		_ = dialled.Close()
	}
}

func TestAConnectionThatIsAdoptedByAClosedPoolIsClosedAtOnce(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	p := New(Config{})
	p.Close()
	p.Adopt(near, nil)
	if _, err := near.Write([]byte("x")); err == nil {
		t.Error("it can still be written to")
	}
}

func TestAConnectionIsForgottenWhenItIsClosed(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	all := &open{}
	dial := all.dialer(func(context.Context, string, string) (net.Conn, error) { return near, nil }, nil)
	c, err := dial(t.Context(), "tcp", "somewhere:443")
	if err != nil || len(all.conns) != 1 {
		t.Fatalf("%d connections are known after %v", len(all.conns), err)
	}
	if err := c.Close(); err != nil || len(all.conns) != 0 {
		t.Errorf("%d connections are known after the close, which returned %v", len(all.conns), err)
	}
}
