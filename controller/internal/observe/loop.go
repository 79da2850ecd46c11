// SPDX-License-Identifier: Apache-2.0

package observe

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Loop is an object that is reconciled again and again because of what its own reconciles write.
type Loop struct {
	Object  metav1.Object // that is written
	Write   string        // the last one
	Times   int           // it was written in a row
	Changed []string      // the paths of the fields that the last write has changed; nil if that is not known
	Items   []LoopItem    // that write it: one, or several that undo each other's writes
}

// LoopItem is an item of a controller.
type LoopItem struct {
	Controller  string
	MetricsName string // of the controller
	Key         reconcile.Request
}
