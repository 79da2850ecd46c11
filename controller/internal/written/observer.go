// SPDX-License-Identifier: Apache-2.0

package written

import (
	"context"
	"slices"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/answer"
	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// Known returns the version of an object as a cache has it. It is empty if no cache has it.
func (w *Writes) Known(call *observe.Call) string {
	for _, c := range w.set.Covering(apicall.Resource(&call.Call), w.factories) {
		if object := read(place{c, reconcile.Request{Namespace: call.Namespace, Name: call.Name}}); object != nil {
			return object.GetResourceVersion()
		}
	}
	return ""
}

// CallWrote notes a write of an item, if there are caches of such objects.
func (w *Writes) CallWrote(_ context.Context, call *observe.Call, write *observe.Write) {
	covering := w.set.Covering(apicall.Resource(&call.Call), w.factories)
	if len(covering) == 0 {
		return
	}
	item := Item{call.Unit.Owner, call.Unit.Key}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep(time.Now())
	if write.Unknown {
		if !slices.ContainsFunc(covering, func(c *caches.Cache) bool { return w.has(c, write.Namespace) }) {
			return
		}
		w.doubt(item, doubt{resource: apicall.Resource(&call.Call), Write: *write})
		return
	}
	w.note(&item, covering, &state{
		namespace: write.Namespace, name: write.Name, uid: write.UID, version: write.Version,
		labels: func() map[string]string { return answer.Labels(write.ContentType, write.Answer) },
		gone:   write.Gone,
	})
}

// has reports whether a cache has objects of a namespace; an empty one is all, or none.
func (w *Writes) has(c *caches.Cache, namespace string) bool {
	selection := c.Selection(w.factories)
	return selection != nil && (namespace == "" || selection.Has(namespace))
}
