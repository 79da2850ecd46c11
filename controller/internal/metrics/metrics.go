// Package metrics measures a manager with OpenTelemetry's API, through the provider that it is given. Names
// and labels are in docs/metrics.md; each label has a bounded number of values.
package metrics

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// scope names the instrumentation, as OpenTelemetry has it.
const scope = "github.com/lanyard-k8s/lanyard/controller"

// Set is the instruments of one manager.
type Set struct {
	meter metric.Meter

	reconciles, waits          metric.Float64Histogram
	calls, throttles           metric.Float64Histogram
	termsBegun, termsEnded     metric.Int64Counter
	depth, inFlight            metric.Int64ObservableGauge
	oldest, cacheAge           metric.Float64ObservableGauge
	cacheObjects, callsWaiting metric.Int64ObservableGauge
	leading                    metric.Int64ObservableGauge

	ofReconciles labelSets[reconcileLabels]
	ofCalls      labelSets[callLabels]
	byController labelSets[string]
	byReason     labelSets[string]
	byEnd        labelSets[string]
	byCache      labelSets[string]
}

// New makes the instruments. Nothing is measured where provider is nil: then the set is nil, and all its
// methods do nothing.
func New(provider metric.MeterProvider) (*Set, error) {
	if provider == nil {
		return nil, nil //nolint:nilnil // a nil set works
	}
	s := &Set{meter: provider.Meter(scope)}
	b := builder{meter: s.meter}
	s.reconciles = b.histogram("lanyard.reconcile.duration", "How long reconciles took, by how they ended.")
	s.waits = b.histogram("lanyard.queue.wait", "How long items waited in the queue after they could have been taken.")
	s.calls = b.histogram("lanyard.api.call.duration", "How long API calls took, each attempt, until its answer began; watches excepted.")
	s.throttles = b.histogram("lanyard.api.throttle.duration", "How long API calls were held back on this side.")
	s.termsBegun = b.counter("lanyard.leader.terms", "Terms of leadership that this process began.")
	s.termsEnded = b.counter("lanyard.leader.terms.ended", "Terms of leadership that ended, by how.")
	s.leading = b.gauge("lanyard.leader", "1 while this process leads, 0 while it stands by.")
	s.depth = b.gauge("lanyard.queue.depth", "Items in the queue.")
	s.inFlight = b.gauge("lanyard.reconcile.in_flight", "Items being reconciled.")
	s.callsWaiting = b.gauge("lanyard.api.calls.waiting", "API calls that wait for room on a connection.")
	s.cacheObjects = b.gauge("lanyard.cache.objects", "Objects in a cache.")
	s.oldest = b.seconds("lanyard.queue.oldest", "How long the oldest item in the queue has waited since it could have been taken.")
	s.cacheAge = b.seconds("lanyard.cache.age", "Time since a cache's list or watch last brought anything, bookmarks included.")
	return s, errors.Join(b.errs...)
}

type builder struct {
	meter metric.Meter
	errs  []error
}

func (b *builder) histogram(name, help string) metric.Float64Histogram {
	h, err := b.meter.Float64Histogram(name, metric.WithDescription(help), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300))
	b.errs = append(b.errs, err)
	return h
}

func (b *builder) counter(name, help string) metric.Int64Counter {
	c, err := b.meter.Int64Counter(name, metric.WithDescription(help))
	b.errs = append(b.errs, err)
	return c
}

func (b *builder) gauge(name, help string) metric.Int64ObservableGauge {
	g, err := b.meter.Int64ObservableGauge(name, metric.WithDescription(help))
	b.errs = append(b.errs, err)
	return g
}

func (b *builder) seconds(name, help string) metric.Float64ObservableGauge {
	g, err := b.meter.Float64ObservableGauge(name, metric.WithDescription(help), metric.WithUnit("s"))
	b.errs = append(b.errs, err)
	return g
}

type reconcileLabels struct{ controller, result, cause string }

func (l reconcileLabels) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("controller", l.controller), attribute.String("result", l.result), attribute.String("cause", l.cause)}
}

// Reconciled notes the end of a reconcile. ctx carries its span, for the exemplar; cause is why it was
// cancelled, or "".
func (s *Set) Reconciled(ctx context.Context, controller, result, cause string, took time.Duration) {
	if s == nil {
		return
	}
	s.reconciles.Record(ctx, took.Seconds(), s.ofReconciles.get(reconcileLabels{controller, result, cause}, reconcileLabels.attributes).record...)
}

// Waited notes how long an item waited in the queue.
func (s *Set) Waited(ctx context.Context, controller string, wait time.Duration) {
	if s == nil {
		return
	}
	s.waits.Record(ctx, max(0, wait.Seconds()), s.controller(controller).record...)
}

func (s *Set) controller(name string) labelSet { return s.byController.get(name, label("controller")) }

type callLabels struct {
	verb, resource string
	code           int
}

func (l callLabels) attributes() []attribute.KeyValue {
	status := "none"
	if l.code > 0 {
		status = strconv.Itoa(l.code)
	}
	return []attribute.KeyValue{attribute.String("verb", l.verb), attribute.String("resource", l.resource), attribute.String("code", status)}
}

// Called notes the answer to an API call; a code of 0 is none.
func (s *Set) Called(ctx context.Context, verb, resource string, code int, took time.Duration) {
	if s == nil {
		return
	}
	s.calls.Record(ctx, took.Seconds(), s.ofCalls.get(callLabels{verb, resource, code}, callLabels.attributes).record...)
}

// Throttled notes that a call was held back, by the client's rate limiter, for room on a connection, or because
// the server asked for it.
func (s *Set) Throttled(ctx context.Context, reason string, wait time.Duration) {
	if s == nil {
		return
	}
	s.throttles.Record(ctx, wait.Seconds(), s.byReason.get(reason, label("reason")).record...)
}

// TermBegan notes that this process leads.
func (s *Set) TermBegan(ctx context.Context) {
	if s != nil {
		s.termsBegun.Add(ctx, 1)
	}
}

// TermEnded notes how a term ended.
func (s *Set) TermEnded(ctx context.Context, how string) {
	if s == nil {
		return
	}
	s.termsEnded.Add(ctx, 1, s.termEnd(how))
}

func (s *Set) termEnd(how string) metric.MeasurementOption {
	return s.byEnd.get(how, label("how")).option
}

// countFromZero has the counters of terms be 0 before the first term instead of absent: an increase from nothing to
// 1 is none to Prometheus.
func (s *Set) countFromZero(ctx context.Context, termEnds []string) {
	s.termsBegun.Add(ctx, 0)
	for _, how := range termEnds {
		s.termsEnded.Add(ctx, 0, s.termEnd(how))
	}
}

// State is what is read whenever metrics are collected.
type State struct {
	Controllers  []ControllerState
	Caches       []CacheState
	CallsWaiting int
	Leads        *bool // nil without leader election
}

// ControllerState is the state of a controller.
type ControllerState struct {
	Name            string
	Depth, InFlight int
	Oldest          time.Duration
}

// CacheState is the state of a cache. An age below zero is not known. Caches of one name are one series.
type CacheState struct {
	Name    string
	Objects int
	Age     time.Duration
}

// Observe reads the state at each collection until stop is called. Where there are terms of leadership to count,
// termEnds are the ways in which they end.
func (s *Set) Observe(read func() State, termEnds ...string) (stop func(), err error) {
	if s == nil {
		return func() {}, nil
	}
	registration, err := s.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		state := read()
		if state.Leads != nil {
			s.countFromZero(ctx, termEnds)
		}
		s.observe(o, state)
		return nil
	}, s.depth, s.inFlight, s.oldest, s.callsWaiting, s.cacheObjects, s.cacheAge, s.leading)
	if err != nil {
		return func() {}, err
	}
	return func() { _ = registration.Unregister() }, nil // fails only for what was not registered
}

func (s *Set) observe(o metric.Observer, state State) {
	for _, c := range state.Controllers {
		name := s.controller(c.Name).option
		o.ObserveInt64(s.depth, int64(c.Depth), name)
		o.ObserveInt64(s.inFlight, int64(c.InFlight), name)
		o.ObserveFloat64(s.oldest, c.Oldest.Seconds(), name)
	}
	for _, c := range merged(state.Caches) {
		name := s.byCache.get(c.Name, label("cache")).option
		o.ObserveInt64(s.cacheObjects, int64(c.Objects), name)
		if c.Age >= 0 {
			o.ObserveFloat64(s.cacheAge, c.Age.Seconds(), name)
		}
	}
	o.ObserveInt64(s.callsWaiting, int64(state.CallsWaiting))
	if state.Leads != nil {
		leads := int64(0)
		if *state.Leads {
			leads = 1
		}
		o.ObserveInt64(s.leading, leads)
	}
}

// merged makes one of the caches of each name, such as those of several namespaces: all their objects, and the
// greatest age, so that one whose watch is dead does not hide behind those of the others.
func merged(caches []CacheState) []CacheState {
	var all []CacheState
	at := map[string]int{}
	for _, c := range caches {
		i, ok := at[c.Name]
		if !ok {
			at[c.Name] = len(all)
			all = append(all, c)
			continue
		}
		all[i].Objects += c.Objects
		all[i].Age = max(all[i].Age, c.Age)
	}
	return all
}
