// SPDX-License-Identifier: Apache-2.0

// Package lifecycle runs the parts of a manager on one tree of contexts, and ends them: in the same
// instant, with a cause, waited for in a fixed order. It knows the parts as runners, and nothing of
// objects, queues or Leases.
package lifecycle

import (
	"context"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// Runner is a part of a manager.
type Runner interface {
	// Unit identifies the runner in reports. Each call returns the unit of one run.
	Unit() *work.Unit
	// Run runs until ctx ends. An error before that, or a panic, ends the manager.
	Run(ctx context.Context) error
}

// Lease is something that a manager holds, and gives back when nothing that needs it runs any more.
type Lease interface {
	// Runner works, for the terms of the lease among others. It is waited for first.
	Runner
	// Watcher watches the lease. It runs until after the Runner has returned.
	Watcher() Runner
	// Release gives the lease back, if this process holds it. ctx has ended.
	Release(ctx context.Context)
	// Abandon leaves the lease to expire, because work that needs it may still run.
	Abandon()
}
