// SPDX-License-Identifier: Apache-2.0

package loglines

import (
	"context"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
)

// CallOrphaned writes a line about a call with a context from outside the manager.
func (Writer) CallOrphaned(ctx context.Context, call *observe.Call, at string) {
	klog.FromContext(ctx).Info("A call through a client of the manager has a context from elsewhere, such as "+
		"context.Background(): it does not end with its reconcile, and is not part of any report; "+
		"pass the context on that the calling function has received",
		"call", call.Call.String(), "at", at)
}
