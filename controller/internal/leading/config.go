// SPDX-License-Identifier: Apache-2.0

// Package leading works while this process holds a Lease: it campaigns, runs the work of each term,
// waits until all of it has returned, and releases the Lease. A Leader is for one Lease; a manager
// may have several.
package leading

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/endings"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// Worker is a part of a manager that runs in terms.
type Worker interface {
	// Warm waits for what the worker needs before it can start at once, such as full caches.
	Warm(ctx context.Context) error
	// InTerm returns the runner for one term. Its context is the term's.
	InTerm(t *term.Term) lifecycle.Runner
	// Queued adds the number of items that wait, by the name of the queue.
	Queued(to map[string]int)
}

// Config is what a Leader needs.
type Config struct {
	Lease     types.NamespacedName
	Candidate *election.Candidate // for the Lease
	Workers   func() []Worker     // those that there are now; for one that comes later see Leader.Add
	Units     *work.Registry
	Endings   *endings.Collector
	Observers observe.Observers

	// ShutdownTimeout bounds the wait for a term's work to return.
	ShutdownTimeout time.Duration
	// ExitOnLoss makes a lost term an error of the Leader. Otherwise it campaigns again.
	ExitOnLoss bool
	// Stacks reports whether reports need the stacks of goroutines.
	Stacks bool

	// TermOver is called when all work of a term has returned, before the Lease is released.
	TermOver func(*term.Term)
	// Flush sends telemetry. The channel is closed when it is done.
	Flush func(ctx context.Context) <-chan struct{}
}
