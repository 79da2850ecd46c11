// SPDX-License-Identifier: Apache-2.0

package loglines

import (
	"context"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/report"
)

// CallOrphaned writes a line about the first call of a line of code that belongs to no work.
func (Writer) CallOrphaned(ctx context.Context, orphan *report.Orphan, first bool) {
	if !first {
		return
	}
	message := "A call through a client of the manager has a context from elsewhere, such as " +
		"context.Background() or context.WithoutCancel(ctx): it does not end with its reconcile; " +
		"pass the context on that the calling function has received"
	if orphan.Kind == report.OrphanReturned {
		message = "A call through a client of the manager has the context of a reconcile that has returned: " +
			"it fails, or is cut off; wait for goroutines before the function returns, and use a runnable " +
			"for work that lasts longer"
	}
	values := []any{"at", orphan.At}
	if orphan.Call.Verb != "" {
		values = append(values, "call", orphan.Call.String())
	}
	switch orphan.Work.Kind {
	case "":
	case report.Item:
		item := orphan.Work.Item
		values = append(values, "controller", orphan.Work.Owner, "object", klog.KRef(item.Namespace, item.Name))
	default:
		values = append(values, string(orphan.Work.Kind), orphan.Work.Owner)
	}
	klog.FromContext(ctx).Info(message, values...)
}
