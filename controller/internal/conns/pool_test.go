// SPDX-License-Identifier: Apache-2.0

package conns

import (
	"context"
	"errors"
	"testing"

	"k8s.io/client-go/rest"
)

// serverStreams is what the API server allows on a connection.
const serverStreams = 100

func TestC25ATransportIsOneConnectionsWorthOfCalls(t *testing.T) {
	if Streams >= serverStreams {
		t.Errorf("%d calls on a connection, of which the server carries %d", Streams, serverStreams)
	}
	p := New(Config{Base: &rest.Config{Host: "http://server.invalid"}, Limit: 3})
	var first *Transport
	for i := range 3 * Streams {
		l, err := p.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = l
		}
		if l.requests > Streams || len(p.transports) != i/Streams+1 {
			t.Fatalf("call %d: %d transports, this one has %d requests", i, len(p.transports), l.requests)
		}
	}
	full, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Acquire(full); !errors.Is(err, context.Canceled) {
		t.Errorf("a full pool returned %v", err)
	}
	p.Release(first)
	if l, err := p.Acquire(t.Context()); err != nil || l != first {
		t.Errorf("the room that was given back is not used: %v", err)
	}
}

// TestC3RoomIsNotGivenOnAContextThatHasEnded has room, so that both are ready at the same time.
func TestC3RoomIsNotGivenOnAContextThatHasEnded(t *testing.T) {
	p := New(Config{Base: &rest.Config{Host: "http://server.invalid"}, Limit: 1})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 * Streams {
		if _, err := p.Acquire(ended); !errors.Is(err, context.Canceled) {
			t.Fatalf("it returned %v", err)
		}
	}
	if len(p.slots) > 0 || len(p.transports) > 0 {
		t.Errorf("%d slots are taken, of %d transports", len(p.slots), len(p.transports))
	}
}
