// SPDX-License-Identifier: Apache-2.0

package conns

import (
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
