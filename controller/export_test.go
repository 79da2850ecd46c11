// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// NewManagerWith makes a manager with another client for Leases and another clock: CLOCK_BOOTTIME
// is outside virtual time. A nil client or clock leaves the real one.
func NewManagerWith(
	config *rest.Config, options ManagerOptions, leases coordinationv1client.LeasesGetter, clock term.Clock,
) *Manager {
	return newManager(config, options, replacements{leases: leases, clock: clock})
}

// MayBeginWhileAdding reports whether Run could begin while something is being added.
func (m *Manager) MayBeginWhileAdding() (may bool) {
	m.setup.add(func(*lifecycle.Run) error {
		if may = m.setup.mu.TryLock(); may {
			m.setup.mu.Unlock()
		}
		return nil
	})
	return may
}

// Waited tells a manager's observers that a call has waited.
func (m *Manager) Waited(ctx context.Context, reason report.Throttle, began time.Time) {
	m.observers.all.CallThrottled(ctx, observe.Throttle{Reason: reason, Began: began, Wait: time.Since(began)})
}

// Complete sets the defaults and returns what is wrong.
func (o *LeaderElection) Complete() error { return o.complete("ManagerOptions.LeaderElection") }

// RunMain is Main without the process.
func RunMain(ctx context.Context, config *rest.Config, options ManagerOptions, setUp func(*Manager) error) error {
	return runMain(ctx, config, options, setUp)
}

// Known returns the number of controllers, runnables and informers that a manager keeps.
func (m *Manager) Known() int {
	m.setup.mu.Lock()
	defer m.setup.mu.Unlock()
	m.informers.mu.Lock()
	defer m.informers.mu.Unlock()
	return len(m.setup.controllers) + len(m.setup.runnables) + len(m.informers.runners) + len(m.informers.set.All())
}

// KnownSources returns the number of sources that a controller keeps.
func (c *Controller[T]) KnownSources() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sources)
}

// Begun reports whether Run has begun.
func (m *Manager) Begun() bool {
	m.setup.mu.Lock()
	defer m.setup.mu.Unlock()
	return m.setup.run != nil
}
