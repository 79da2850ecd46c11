// SPDX-License-Identifier: Apache-2.0

package clientgo

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// object is what a relist is known by.
type object interface {
	comparable
	metav1.Object
}

// Relisted reports whether an update of a handler is the answer to another list, with an object of
// the version that the cache had already. A periodic resync (SyncAll in processDeltas,
// tools/cache/controller.go) passes the object of the cache twice. After another list (Replaced, or
// ReplacedAll) the objects are new ones. Handlers without a resync period get both kinds: they begin
// as syncing (addListener, tools/cache/shared_informer.go), and without a period that never changes.
func Relisted[O object](before, after O) bool {
	return before != after && before.GetResourceVersion() == after.GetResourceVersion()
}
