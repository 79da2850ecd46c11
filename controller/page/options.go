// SPDX-License-Identifier: Apache-2.0

package page

import (
	"time"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/snapshot"
)

// Source is what a page shows. A *controller.Manager implements it.
type Source interface {
	Snapshot() *snapshot.Snapshot
	Stories(object reconcile.Request) []*snapshot.Story
}

// Options configures a page. The zero value works.
type Options struct {
	// Name is the title, such as the name of the program. Default: "Lanyard".
	Name string

	// Interval is the time between two updates of what is shown. All viewers share one snapshot in each. Default:
	// half a second.
	Interval time.Duration

	// Viewers is how many browsers may follow the page at the same time; further ones are refused. Default: 8.
	Viewers int

	// SlowViewer is how long a viewer may take to receive an update, until it is disconnected. Default: 5
	// seconds.
	SlowViewer time.Duration
}
