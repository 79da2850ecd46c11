// SPDX-License-Identifier: Apache-2.0

// Package collector is an OpenTelemetry collector in a test's process: what sends spans to it by OTLP, as gRPC
// or as HTTP, has them kept for the test to look at.
package collector

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Span is a span as it arrived.
type Span struct {
	Service string // service.name of who sent it
	*tracev1.Span
	Arrived time.Time
}

// Trace is its trace id.
func (s *Span) Trace() string { return hex.EncodeToString(s.TraceId) }

// ID is its span id.
func (s *Span) ID() string { return hex.EncodeToString(s.SpanId) }

// Parent is the id of the span above, "" for a root.
func (s *Span) Parent() string { return hex.EncodeToString(s.ParentSpanId) }

// Begin is when it began.
func (s *Span) Begin() time.Time { return time.Unix(0, int64(s.StartTimeUnixNano)) }

// End is when it ended.
func (s *Span) End() time.Time { return time.Unix(0, int64(s.EndTimeUnixNano)) }

// Took is how long it lasted.
func (s *Span) Took() time.Duration { return s.End().Sub(s.Begin()) }

// Failed reports whether its status is an error.
func (s *Span) Failed() bool { return s.GetStatus().GetCode() == tracev1.Status_STATUS_CODE_ERROR }

// Value is an attribute in words, "" when there is none.
func (s *Span) Value(key string) string { return value(s.Attributes, key) }

// LinksTo reports whether it is linked to another.
func (s *Span) LinksTo(other *Span) bool {
	for _, link := range s.Links {
		if hex.EncodeToString(link.SpanId) == other.ID() && hex.EncodeToString(link.TraceId) == other.Trace() {
			return true
		}
	}
	return false
}

func value(attributes []*commonv1.KeyValue, key string) string {
	for _, a := range attributes {
		if a.Key != key {
			continue
		}
		switch v := a.Value.Value.(type) {
		case *commonv1.AnyValue_StringValue:
			return v.StringValue
		case *commonv1.AnyValue_IntValue:
			return fmt.Sprint(v.IntValue)
		case *commonv1.AnyValue_DoubleValue:
			return fmt.Sprint(v.DoubleValue)
		case *commonv1.AnyValue_BoolValue:
			return fmt.Sprint(v.BoolValue)
		}
	}
	return ""
}

// Collector keeps what arrives.
type Collector struct {
	collectorv1.UnimplementedTraceServiceServer

	GRPC string // host and port
	HTTP string // URL, without the path /v1/traces

	grpc   *grpc.Server
	http   *http.Server
	served sync.WaitGroup

	metrics atomic.Int64

	mu      sync.Mutex
	spans   []*Span
	byID    map[string]*Span
	changed chan struct{} // closed at the next arrival
}

// Start starts a collector. It serves until Stop.
func Start(ctx context.Context) (*Collector, error) {
	c := &Collector{grpc: grpc.NewServer(), changed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", c.post)
	mux.HandleFunc("POST /v1/metrics", func(http.ResponseWriter, *http.Request) { c.metrics.Add(1) })
	c.http = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	collectorv1.RegisterTraceServiceServer(c.grpc, c)
	var listeners [2]net.Listener
	for i := range listeners {
		var err error
		if listeners[i], err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	c.GRPC, c.HTTP = listeners[0].Addr().String(), "http://"+listeners[1].Addr().String()
	c.served.Go(func() { _ = c.grpc.Serve(listeners[0]) }) // ends with Stop
	c.served.Go(func() { _ = c.http.Serve(listeners[1]) }) // as above
	return c, nil
}

// Stop ends it, and waits for all that it has started.
func (c *Collector) Stop() {
	c.grpc.Stop()
	_ = c.http.Close() // what is on its way is of no use any more
	c.served.Wait()
}

// Export is OTLP's.
func (c *Collector) Export(_ context.Context, req *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	c.keep(req)
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

func (c *Collector) post(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unzipped
	}
	data, err := io.ReadAll(body)
	req := &collectorv1.ExportTraceServiceRequest{}
	if err == nil {
		err = proto.Unmarshal(data, req)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.keep(req)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *Collector) keep(req *collectorv1.ExportTraceServiceRequest) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[string]*Span{}
	}
	for _, from := range req.ResourceSpans {
		service := value(from.GetResource().GetAttributes(), "service.name")
		for _, scope := range from.ScopeSpans {
			for _, span := range scope.Spans {
				arrived := &Span{Service: service, Span: span, Arrived: now}
				c.spans = append(c.spans, arrived)
				c.byID[arrived.ID()] = arrived
			}
		}
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// Metrics is how often metrics have been pushed.
func (c *Collector) Metrics() int { return int(c.metrics.Load()) }

// Spans returns those for which that holds, in the order in which they arrived.
func (c *Collector) Spans(which func(*Span) bool) []*Span {
	c.mu.Lock()
	spans := c.spans // of which what is there does not change
	c.mu.Unlock()
	var found []*Span
	for _, span := range spans {
		if which(span) {
			found = append(found, span)
		}
	}
	return found
}

// Get returns the span with an id, nil where it has not arrived.
func (c *Collector) Get(id string) *Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byID[id]
}

// Await waits until so many have arrived for which that holds, and returns them.
func (c *Collector) Await(t testing.TB, n int, what string, which func(*Span) bool) []*Span {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		c.mu.Lock()
		changed := c.changed
		c.mu.Unlock()
		found := c.Spans(which)
		if len(found) >= n {
			return found
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("after a minute %d of %d spans have arrived: %s", len(found), n, what)
		}
	}
}
