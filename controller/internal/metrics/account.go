// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
)

// account measures what a reconcile has asked of the API server.
func (s *Set) account(ctx context.Context, item *observe.Item) {
	account := item.Account()
	name := item.MetricsName
	for i := range account.Calls {
		calls := &account.Calls[i]
		labels := itemCallLabels{name, calls.Verb, calls.Resource}
		s.itemCalls.Add(ctx, int64(calls.Attempts), s.ofItemCalls.get(labels, itemCallLabels.attributes).option)
		if calls.Changed+calls.WithoutEffect > 0 { // also 0, so that there is a series from the first write on
			labels := writeLabels{name, calls.Resource}
			s.noEffect.Add(ctx, int64(calls.WithoutEffect), s.ofWrites.get(labels, writeLabels.attributes).option)
		}
	}
	if len(account.Calls) > 0 {
		total := account.Total()
		s.itemBytes.Add(ctx, total.Sent, s.ofBytes.get(byteLabels{name, "sent"}, byteLabels.attributes).option)
		s.itemBytes.Add(ctx, total.Received, s.ofBytes.get(byteLabels{name, "received"}, byteLabels.attributes).option)
		s.itemWire.Add(ctx, total.OnWire.Seconds(), s.controller(name).option)
		s.itemHeld.Add(ctx, account.Throttled.Seconds(), s.controller(name).option)
	}
}

// LoopFound counts a loop for each controller that takes part in it.
func (s *Set) LoopFound(ctx context.Context, loop *observe.Loop) {
	counted := map[string]bool{}
	for _, item := range loop.Items {
		if !counted[item.MetricsName] {
			counted[item.MetricsName] = true
			s.loops.Add(ctx, 1, s.controller(item.MetricsName).option)
		}
	}
}
