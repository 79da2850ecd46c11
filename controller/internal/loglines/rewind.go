// SPDX-License-Identifier: Apache-2.0

package loglines

import (
	"context"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
)

// CallWrote writes a line about a write that led to an older version than a cache has had before: no API server
// answers so of the objects that it has sent to the cache.
func (Writer) CallWrote(ctx context.Context, call *observe.Call, write *observe.Write) {
	if !write.Unknown || write.Version == "" {
		return
	}
	klog.FromContext(ctx).Info("A write was answered with an older version of the object than its cache has: is the "+
		"answer from another cluster, or was a backup restored? What became of the object is looked up",
		"call", call.Call.String(), "version", write.Version, "cached", write.Before)
}
