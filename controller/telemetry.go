package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/apicall"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/metrics"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// Telemetry has the manager traced and measured with OpenTelemetry (docs/tracing.md). The zero value has
// neither, at no cost. Providers are the caller's: nothing global is read or set (C22), and they are
// flushed, but not shut down, at the end of each term and of the manager.
type Telemetry struct {
	// TracerProvider makes the spans: one for each reconcile, one below it for each attempt at an API
	// call. Nil: none.
	TracerProvider trace.TracerProvider

	// MeterProvider makes the metrics. Nil: none.
	MeterProvider metric.MeterProvider

	// AnnotationKey is where objects carry the trace that they were last changed in, to which their
	// reconciles are linked. Default: tracing.k8s.io/traceparent.
	AnnotationKey string

	// Stamp has [tracing.Stamp] and [tracing.StampObject] write that annotation. Without it they only keep
	// what is there, and what others wrote is read.
	Stamp bool

	// FlushTimeout bounds each flush. Default: two seconds.
	FlushTimeout time.Duration
}

// flusher is what providers of OpenTelemetry's SDK can do and its API does not say.
type flusher interface {
	ForceFlush(ctx context.Context) error
}

// flush sends what has been recorded, among it the spans of what was cancelled: those are the ones that
// someone will look for. ctx may have ended.
func (t *Telemetry) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.FlushTimeout)
	defer cancel()
	var errs []error
	for _, provider := range []any{t.TracerProvider, t.MeterProvider} {
		if f, ok := provider.(flusher); ok {
			errs = append(errs, f.ForceFlush(ctx))
		}
	}
	if err := errors.Join(errs...); err != nil {
		klog.FromContext(ctx).Info("Telemetry was not sent", "err", err)
	}
}

// flushAside flushes beside what its caller does, until the channel is closed: a collector that does not
// answer must not keep a successor from the lease.
func (m *Manager) flushAside(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	if t := &m.options.Telemetry; t.TracerProvider == nil && t.MeterProvider == nil {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		m.options.Telemetry.flush(ctx)
	}()
	return done
}

// setUpTelemetry has the transport tell what it sees, if anyone wants to know.
func (m *Manager) setUpTelemetry() {
	t := &m.options.Telemetry
	t.FlushTimeout = cmp.Or(t.FlushTimeout, 2*time.Second)
	var err error
	if m.metrics, err = metrics.New(t.MeterProvider); err != nil {
		m.mistake(fmt.Errorf("make the metrics: %w", err))
	}
	client := tracing.NewClient(t.TracerProvider)
	if client != nil {
		m.annotations = &tracing.Annotations{Key: t.AnnotationKey, Write: t.Stamp}
		m.transport.Trace = client.Transport
	}
	if client != nil || m.metrics != nil {
		m.transport.Observer = observer{metrics: m.metrics, client: client}
	}
}

// notOnlyTraced stops updates that change nothing but the annotation that traces are carried in.
func notOnlyTraced[O Object](annotations *tracing.Annotations) Filter[O] {
	return func(_ context.Context, event Event[O]) bool {
		return event.Type != Updated || !annotations.OnlyTraceChanged(event.Old, event.New)
	}
}

// observer tells the metrics and spans what the transport sees.
type observer struct {
	metrics *metrics.Set
	client  *tracing.Client
}

// Called is told of each answer, or of its failure to come.
func (o observer) Called(ctx context.Context, call *apicall.Call, code int, took time.Duration) {
	resource := call.Resource
	if call.Other != "" {
		resource = "other" // paths are not bounded
	}
	o.metrics.Called(ctx, call.Verb, resource, code, took)
}

// minWait is what is worth measuring: every call passes the rate limiter.
const minWait = time.Millisecond

// Waited is told of what held a call up on this side.
func (o observer) Waited(ctx context.Context, reason string, began time.Time) {
	wait := time.Since(began)
	if wait < minWait {
		return
	}
	o.metrics.Throttled(ctx, reason, wait)
	if reason != tracing.ThrottleFence { // the next attempt makes that span
		o.client.Throttled(ctx, began, reason)
	}
}

// Postponed is told of a wait that is to come. Where it has come, the next attempt makes its span.
func (o observer) Postponed(ctx context.Context, wait time.Duration) {
	if wait >= minWait {
		o.metrics.Throttled(ctx, tracing.ThrottleRetryAfter, wait)
	}
}

// observe has the metrics read the manager's state until stop.
func (m *Manager) observe() (stop func(), err error) {
	return m.metrics.Observe(func() metrics.State {
		s := metrics.State{CallsWaiting: m.transport.Waiting()}
		inFlight := map[string]int{}
		for _, unit := range m.units.Live() {
			if unit.Kind == work.Item {
				inFlight[unit.Owner]++
			}
		}
		now := time.Now()
		for _, c := range m.controllers {
			depth, oldest := c.backlog(now)
			s.Controllers = append(s.Controllers, metrics.ControllerState{Name: c.name(), Depth: depth, InFlight: inFlight[c.name()], Oldest: oldest})
		}
		for _, inf := range m.informers.all() {
			s.Caches = append(s.Caches, metrics.CacheState{Name: inf.label(), Objects: len(inf.GetStore().ListKeys()), Age: inf.age(now)})
		}
		if m.candidate != nil {
			_, leads := m.Leads()
			s.Leads = &leads
		}
		return s
	}, termEnds()...)
}

// termEnds are all ways in which a term ends.
func termEnds() []string {
	var names []string
	for _, how := range []cause.TermEnd{cause.TermExpired, cause.TermTaken, cause.TermReleased, cause.TermDeleted,
		cause.TermEdited, cause.TermRefused, cause.TermStuck, cause.TermResigned} {
		names = append(names, string(how))
	}
	return names
}
