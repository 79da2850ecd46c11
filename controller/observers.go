// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"net/http"

	"github.com/lanyard-k8s/lanyard/controller/internal/clientspans"
	"github.com/lanyard-k8s/lanyard/controller/internal/endings"
	"github.com/lanyard-k8s/lanyard/controller/internal/loglines"
	"github.com/lanyard-k8s/lanyard/controller/internal/metrics"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/spans"
	"github.com/lanyard-k8s/lanyard/controller/internal/stats"
	"github.com/lanyard-k8s/lanyard/controller/internal/stories"
	"github.com/lanyard-k8s/lanyard/controller/internal/traceannotation"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// observers is who is told what happens in a manager. To observe more, add to newObservers.
type observers struct {
	all observe.Observers

	stats   stats.Counter
	endings endings.Collector
	stories stories.Book
	metrics *metrics.Set // nil without metrics

	// annotations is how objects carry traces; nil without tracing.
	annotations *traceannotation.Settings
	// wrap makes the spans of attempts at API calls; nil without tracing.
	wrap func(http.RoundTripper) http.RoundTripper
}

// newObservers makes the observers, in the order in which they are told of a beginning. Spans come
// early, so that what the others do at the end of an item is part of its span.
func newObservers(t *Telemetry, units *work.Registry) (*observers, error) {
	o := &observers{all: observe.Observers{inFlight{units: units}}}
	var err error
	if o.metrics, err = metrics.New(t.MeterProvider); err != nil {
		return o, fmt.Errorf("make the metrics: %w", err)
	}
	if t.TracerProvider != nil {
		o.annotations = &traceannotation.Settings{Key: t.AnnotationKey, Write: t.WriteAnnotation}
		client := clientspans.NewClient(t.TracerProvider)
		o.wrap = client.Transport
		o.all = append(o.all, spans.New(t.TracerProvider, client, o.annotations))
	}
	if o.metrics != nil {
		o.all = append(o.all, o.metrics)
	}
	o.all = append(o.all, &o.stats, &o.endings, &o.stories, loglines.Writer{})
	return o, nil
}

// context returns the context for everything that a manager runs: it has what observers need in contexts.
func (o *observers) context(ctx context.Context) context.Context {
	if o.annotations == nil {
		return ctx
	}
	return traceannotation.NewContext(ctx, o.annotations)
}

// inFlight is an observer that keeps the registry of the units of work, for items, and their accounts of
// waits. The transport keeps the rest of the accounts.
type inFlight struct {
	observe.Nop
	units *work.Registry
}

// ItemBegan adds an item.
func (f inFlight) ItemBegan(ctx context.Context, item *observe.Item) context.Context {
	f.units.Add(&item.Unit)
	return ctx
}

// ItemEnded removes an item.
func (f inFlight) ItemEnded(_ context.Context, item *observe.Item) { f.units.Remove(&item.Unit) }

// CallThrottled notes the wait of a call for whoever makes it.
func (f inFlight) CallThrottled(ctx context.Context, t observe.Throttle) {
	unit := work.From(ctx)
	if unit == nil {
		return
	}
	unit.Throttled(t.Wait)
	if t.Ahead {
		unit.Paused(t.Began.Add(t.Wait))
	}
}
