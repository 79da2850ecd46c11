// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"context"

	"k8s.io/klog/v2"
)

// twice finds collections that several informers list and watch, so that their objects are in memory
// several times. The zero value is ready for use.
type twice struct{ told map[string]bool } // by path

// check tells of each collection once.
func (t *twice) check(ctx context.Context, all []*Cache) {
	by := map[string]*Cache{}
	for _, c := range all {
		for path, name := range c.unit.Streams.Collections() {
			first := by[path]
			by[path] = c
			if first == nil || first == c || t.told[path] {
				continue
			}
			if t.told == nil {
				t.told = map[string]bool{}
			}
			t.told[path] = true
			klog.FromContext(ctx).Info("Several informers list and watch the same objects: give one factory to all that "+
				"need them, see controller.SharedFactory", "informer", c.name, "collection", name)
		}
	}
}
