// SPDX-License-Identifier: Apache-2.0

// Package metrics measures a manager with OpenTelemetry's API, through the provider that it is
// given. Names and labels are in docs/metrics.md; each label has a bounded number of values.
package metrics

import (
	"errors"

	"go.opentelemetry.io/otel/metric"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// Set is the instruments of one manager. It is an observer. The nil Set measures nothing.
type Set struct {
	observe.Nop

	meter metric.Meter

	reconciles   metric.Float64Histogram
	waits        metric.Float64Histogram
	calls        metric.Float64Histogram
	throttles    metric.Float64Histogram
	itemCalls    metric.Int64Counter
	itemBytes    metric.Int64Counter
	itemWire     metric.Float64Counter
	itemHeld     metric.Float64Counter
	noEffect     metric.Int64Counter
	loops        metric.Int64Counter
	orphans      metric.Int64Counter
	termsBegun   metric.Int64Counter
	termsEnded   metric.Int64Counter
	depth        metric.Int64ObservableGauge
	inFlight     metric.Int64ObservableGauge
	oldest       metric.Float64ObservableGauge
	cacheAge     metric.Float64ObservableGauge
	cacheFailing metric.Float64ObservableGauge
	cacheErrors  metric.Int64ObservableCounter
	cacheObjects metric.Int64ObservableGauge
	callsWaiting metric.Int64ObservableGauge
	leading      metric.Int64ObservableGauge
	slots        metric.Int64ObservableGauge
	slotsBegun   metric.Int64Counter
	slotsEnded   metric.Int64Counter

	ofReconciles labelSets[reconcileLabels]
	ofCalls      labelSets[callLabels]
	ofItemCalls  labelSets[itemCallLabels]
	ofBytes      labelSets[byteLabels]
	ofWrites     labelSets[writeLabels]
	byController labelSets[string]
	byReason     labelSets[report.Throttle]
	byEnd        labelSets[string]
	byOrphan     labelSets[string]
	byCache      labelSets[string]
	byCacheError labelSets[cacheErrorLabels]
}

// New makes the instruments. It returns nil if provider is nil.
func New(provider metric.MeterProvider) (*Set, error) {
	if provider == nil {
		return nil, nil //nolint:nilnil // a nil set works
	}
	s := &Set{meter: provider.Meter(semconv.ScopeController)}
	b := builder{meter: s.meter}
	s.reconciles = b.histogram(
		"lanyard.reconcile.duration",
		"How long reconciles took, by how they ended.",
	)
	s.waits = b.histogram(
		"lanyard.queue.wait",
		"How long items waited in the queue after they could have been taken.",
	)
	s.calls = b.histogram(
		"lanyard.api.call.duration",
		"How long API calls took, each attempt, until its answer began; watches excepted.",
	)
	s.throttles = b.histogram(
		"lanyard.api.throttle.duration",
		"How long API calls were held back on this side.",
	)
	s.itemCalls = b.counter("lanyard.reconcile.calls", "API calls of reconciles, each attempt.")
	s.itemBytes = b.counter(
		"lanyard.reconcile.bytes",
		"Bytes of the bodies of requests and answers of reconciles.",
		metric.WithUnit("By"),
	)
	s.itemWire = b.secondsCounter(
		"lanyard.reconcile.api_time",
		"Time for which reconciles' calls were on the wire; calls at the same time add up.",
	)
	s.itemHeld = b.secondsCounter(
		"lanyard.reconcile.throttled",
		"Time for which reconciles' calls were held back on this side.",
	)
	s.noEffect = b.counter(
		"lanyard.reconcile.writes.without_effect",
		"Writes of reconciles after which the object had the version that it had before.",
	)
	s.loops = b.counter(
		"lanyard.reconcile.loops",
		"Objects that were found to be reconciled again and again because of what their reconciles write.",
	)
	s.orphans = b.counter(
		"lanyard.api.orphans",
		"API calls that belonged to no work of the manager, by the context that they had.",
	)
	s.termsBegun = b.counter("lanyard.leader.terms", "Terms of leadership that this process began.")
	s.termsEnded = b.counter(
		"lanyard.leader.terms.ended",
		"Terms of leadership that ended, by how.",
	)
	s.slotsBegun = b.counter("lanyard.sharding.slots.begun", "Slots that this process began to work on.")
	s.slotsEnded = b.counter("lanyard.sharding.slots.ended", "Slots on which the work of this process ended, by how.")
	s.slots = b.gauge("lanyard.sharding.slots", "Slots that this process works on.")
	s.leading = b.gauge("lanyard.leader", "1 while this process leads, 0 while it stands by.")
	s.depth = b.gauge("lanyard.queue.depth", "Items in the queue.")
	s.inFlight = b.gauge("lanyard.reconcile.in_flight", "Items being reconciled.")
	s.callsWaiting = b.gauge(
		"lanyard.api.calls.waiting",
		"API calls that wait for room on a connection.",
	)
	s.cacheObjects = b.gauge("lanyard.cache.objects", "Objects in a cache.")
	s.oldest = b.seconds(
		"lanyard.queue.oldest",
		"How long the oldest item in the queue has waited since it could have been taken.",
	)
	s.cacheAge = b.seconds(
		"lanyard.cache.age",
		"Time since a cache's list or watch last brought anything, bookmarks included.",
	)
	s.cacheFailing = b.seconds(
		"lanyard.cache.failing",
		"For how long a cache has not been fed, because its list or watch fails; 0 while it is.",
	)
	s.cacheErrors = b.observableCounter("lanyard.cache.errors", "What has failed for a cache, by reason.")
	return s, errors.Join(b.errs...)
}

// controller returns the labels of what is measured of a controller, by its name in metrics.
func (s *Set) controller(name string) labelSet {
	return s.byController.get(name, label("controller"))
}

type builder struct {
	meter metric.Meter
	errs  []error
}

func (b *builder) histogram(name, help string) metric.Float64Histogram {
	h, err := b.meter.Float64Histogram(
		name,
		metric.WithDescription(help),
		metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(
			.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300,
		),
	)
	b.errs = append(b.errs, err)
	return h
}

func (b *builder) counter(name, help string, options ...metric.Int64CounterOption) metric.Int64Counter {
	c, err := b.meter.Int64Counter(name, append(options, metric.WithDescription(help))...)
	b.errs = append(b.errs, err)
	return c
}

func (b *builder) secondsCounter(name, help string) metric.Float64Counter {
	c, err := b.meter.Float64Counter(name, metric.WithDescription(help), metric.WithUnit("s"))
	b.errs = append(b.errs, err)
	return c
}

func (b *builder) observableCounter(name, help string) metric.Int64ObservableCounter {
	c, err := b.meter.Int64ObservableCounter(name, metric.WithDescription(help))
	b.errs = append(b.errs, err)
	return c
}

func (b *builder) gauge(name, help string) metric.Int64ObservableGauge {
	g, err := b.meter.Int64ObservableGauge(name, metric.WithDescription(help))
	b.errs = append(b.errs, err)
	return g
}

func (b *builder) seconds(name, help string) metric.Float64ObservableGauge {
	g, err := b.meter.Float64ObservableGauge(
		name,
		metric.WithDescription(help),
		metric.WithUnit("s"),
	)
	b.errs = append(b.errs, err)
	return g
}
