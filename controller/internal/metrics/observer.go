// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

var _ observe.Observer = (*Set)(nil)

// ItemBegan measures how long an item waited in the queue.
func (s *Set) ItemBegan(ctx context.Context, item *observe.Item) context.Context {
	s.waits.Record(ctx, item.Wait().Seconds(), s.controller(item.MetricsName).record...)
	return ctx
}

// ItemEnded measures how long a reconcile took. ctx has its span, for the exemplar.
func (s *Set) ItemEnded(ctx context.Context, item *observe.Item) {
	labels := reconcileLabels{item.MetricsName, item.Outcome, cause.Name(ctx)}
	s.reconciles.Record(
		ctx,
		item.Took.Seconds(),
		s.ofReconciles.get(labels, reconcileLabels.attributes).record...)
	s.account(ctx, item)
}

// CallAttempted measures how long the answer to an API call took.
func (s *Set) CallAttempted(ctx context.Context, call *observe.Call, attempt observe.Attempt) {
	labels := callLabels{call.Verb, call.Resource, attempt.Code}
	if call.Path != "" {
		labels.resource = "other" // the number of paths is not bounded
	}
	s.calls.Record(
		ctx,
		attempt.Took.Seconds(),
		s.ofCalls.get(labels, callLabels.attributes).record...)
}

// minWait is the shortest wait that is measured: every call passes the rate limiter.
const minWait = time.Millisecond

// CallThrottled measures how long a call was held back.
func (s *Set) CallThrottled(ctx context.Context, t observe.Throttle) {
	if t.Wait < minWait {
		return
	}
	s.throttles.Record(ctx, t.Wait.Seconds(), s.byReason.get(t.Reason, reasonLabel).record...)
}

func reasonLabel(reason report.Throttle) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("reason", string(reason))}
}

// CallOrphaned counts a call that belongs to no work.
func (s *Set) CallOrphaned(ctx context.Context, orphan *report.Orphan, _ bool) {
	s.orphans.Add(ctx, 1, s.orphan(orphan.Kind))
}

func (s *Set) orphan(kind report.OrphanKind) metric.MeasurementOption {
	return s.byOrphan.get(string(kind), label("kind")).option
}

// TermBegan counts a term of leadership.
func (s *Set) TermBegan(ctx context.Context, _ cause.Term) { s.termsBegun.Add(ctx, 1) }

// TermEnded counts how a term ended.
func (s *Set) TermEnded(ctx context.Context, _ cause.Term, how cause.TermEnd) {
	s.termsEnded.Add(ctx, 1, s.termEnd(how))
}

// SlotBegan counts a slot that this process begins to work on.
func (s *Set) SlotBegan(ctx context.Context, _ int, _ cause.Term) { s.slotsBegun.Add(ctx, 1) }

// SlotEnded counts how the work on a slot ended.
func (s *Set) SlotEnded(ctx context.Context, _ int, _ cause.Term, how cause.TermEnd) {
	s.slotsEnded.Add(ctx, 1, s.termEnd(how))
}

func (s *Set) termEnd(how cause.TermEnd) metric.MeasurementOption {
	return s.byEnd.get(string(how), label("how")).option
}
