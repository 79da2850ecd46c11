// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
)

// Healthy returns an error if a controller is stuck; use it for a liveness probe. A controller is
// stuck if none of its workers is free, and each of them has an item whose context has ended but
// whose reconcile function has not returned. The error names those items. Healthy also returns an
// error if a filter, a mapping or a transform has been running for more than ten seconds, because no
// event of its informer is delivered meanwhile. It is safe for concurrent use.
func (m *Manager) Healthy() error {
	return progress(&m.units, &m.informers.set, m.setup.all())
}

// Ready returns nil when the caches of all controllers have synced and the controllers have
// started; use it for a readiness probe. A controller that waits for leadership counts as ready
// when its caches have synced, so that replicas that do not lead are ready too.
//
// The error names each controller that waits for its caches, and what is missing. A controller that was
// added to a running manager and cannot start is not ready until it has started or is stopped.
//
// Ready returns an error that names each cache which does not hold what the API server has: its list
// or watch has failed for more than ten seconds, or at all for an error that does not pass by itself,
// such as a missing permission; or the transform has failed for one of its objects. It is safe for
// concurrent use.
func (m *Manager) Ready() error {
	return errors.Join(m.started(), m.broken(time.Now()))
}

// started returns an error unless all controllers have started.
func (m *Manager) started() error {
	all := m.setup.all()
	if m.hasEnded() {
		return notReady(0, len(all), nil)
	}
	ready := 0
	var why []error
	for _, c := range all {
		waits, overdue := c.Waits()
		if c.inTerm && m.leader.Warm() && !overdue || !c.inTerm && c.Serving() {
			ready++
		} else if waits != nil {
			why = append(why, waits)
		}
	}
	return notReady(ready, len(all), why)
}

func notReady(ready, all int, why []error) error {
	if ready == all {
		return nil
	}
	err := fmt.Errorf("%d of %d controllers are ready", ready, all)
	return errors.Join(append([]error{err}, why...)...)
}

func (m *Manager) hasEnded() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.ended: // it is nil before the manager runs
		return true
	default:
		return false
	}
}

// broken returns an error that names each cache which does not hold what the API server has.
func (m *Manager) broken(now time.Time) error {
	if !m.running() || m.hasEnded() {
		return nil
	}
	var errs []error
	for _, informer := range m.informers.set.All() {
		errs = append(errs, informer.Broken(now))
	}
	return errors.Join(append(errs, caches.BrokenFactories(m.informers.unit.Streams, now))...)
}
