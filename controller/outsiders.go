// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
)

// outsiders is an observer that finds caches which are filled by clients that are not the manager's.
// It looks after the first item, the second, the fourth, and so on. A cache with objects of an API
// server, for which the manager has made no call, is one of them. It is told once.
//
// Objects from fakes, and those that programs make, have no time of creation with a UID, and so
// tests are not told anything.
type outsiders struct {
	observe.Nop
	caches *caches.Set
	strays func() bool // whether calls for caches may have had contexts from elsewhere
	items  atomic.Uint64
	told   atomic.Bool
}

// ItemEnded looks at the caches from time to time.
func (o *outsiders) ItemEnded(ctx context.Context, _ *observe.Item) {
	n := o.items.Add(1)
	if n&(n-1) != 0 || o.told.Load() || o.strays() {
		return
	}
	var names []string
	for _, c := range o.caches.Own() {
		if c.HasSynced() && c.Unit().Cost().Calls == 0 && isServed(c) {
			names = append(names, c.Name())
		}
	}
	if len(names) > 0 && !o.told.Swap(true) {
		klog.FromContext(ctx).Info("Caches are filled by clients that are not the manager's: "+
			"their calls are not accounted for, and end without a cause; "+
			"make all clients and informers from Manager.Config()", "caches", names)
	}
}

// isServed reports whether a cache has objects that an API server has made.
func isServed(c *caches.Cache) bool {
	for _, cached := range c.GetStore().List() {
		object, err := meta.Accessor(cached)
		return err == nil && isOfServer(object)
	}
	return false
}

// isOfServer reports whether an API server has made an object.
func isOfServer(object metav1.Object) bool {
	return object.GetUID() != "" && object.GetResourceVersion() != "" && !object.GetCreationTimestamp().Time.IsZero()
}
