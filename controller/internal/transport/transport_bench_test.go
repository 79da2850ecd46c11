// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/race"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// callAllocations is how much a call through the transport allocates more than one without it: the
// call itself, its time limit's context and timer, and the request with that context and with the
// time that the server is told.
const callAllocations = 8

// BenchmarkUpdate is one update by an item, without and with the transport, answered by a stub.
func BenchmarkUpdate(b *testing.B) {
	for name, client := range clients(b) {
		b.Run(name, func(b *testing.B) {
			ctx := itemContext(b.Context())
			b.ReportAllocs()
			for b.Loop() {
				update(ctx, b, client)
			}
		})
	}
}

func TestAllocationsOfACallArePinned(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates too")
	}
	ctx, got := itemContext(t.Context()), map[string]float64{}
	for name, client := range clients(t) {
		got[name] = testing.AllocsPerRun(1000, func() { update(ctx, t, client) })
	}
	if more := got["lanyard"] - got["bare"]; more > callAllocations {
		t.Errorf("a call allocates %v times more than without the transport, want at most %d", more, callAllocations)
	}
}

// clients are for a config with a time limit for each call, as the manager has it by default.
func clients(tb testing.TB) map[string]*http.Client {
	tb.Helper()
	config := &rest.Config{Host: "http://unused.invalid", Transport: stub{}}
	transport := New(Options{Read: 30 * time.Second, Write: 30 * time.Second})
	made := map[string]*http.Client{}
	for name, c := range map[string]*rest.Config{"bare": config, "lanyard": transport.Instrument(config)} {
		client, err := rest.HTTPClientFor(c)
		if err != nil {
			tb.Fatal(err)
		}
		made[name] = client
	}
	return made
}

func itemContext(parent context.Context) context.Context {
	ctx, cancel := context.WithDeadlineCause(parent, time.Now().Add(time.Hour), cause.ItemTimeout)
	context.AfterFunc(parent, cancel)
	return work.NewContext(ctx, &work.Unit{Kind: report.Item, Owner: "bench"})
}

func update(ctx context.Context, tb testing.TB, client *http.Client) {
	const url = "http://unused.invalid/api/v1/namespaces/default/configmaps/name"
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		tb.Fatal(err)
	}
	_ = resp.Body.Close() // has been read
}

// stub answers every request with a small body.
type stub struct{}

var payload = bytes.Repeat([]byte("x"), 1000)

func (stub) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Request: req, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(payload))}, nil
}
