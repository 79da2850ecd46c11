// SPDX-License-Identifier: Apache-2.0

package controller

import "fmt"

// Healthy returns an error if a controller is stuck; use it for a liveness probe. A controller is
// stuck if none of its workers is free, and each of them has an item whose context has ended but
// whose reconcile function has not returned. The error names those items. It is safe for concurrent
// use.
func (m *Manager) Healthy() error { return stuck(&m.units, m.setup.all()) }

// Ready returns nil when the caches of all controllers have synced and the controllers have
// started; use it for a readiness probe. A controller that waits for leadership counts as ready
// when its caches have synced, so that replicas that do not lead are ready too. It is safe for
// concurrent use.
func (m *Manager) Ready() error {
	all := m.setup.all()
	ready := 0
	for _, c := range all {
		if c.inTerm && m.leader.Warm() || !c.inTerm && c.Serving() {
			ready++
		}
	}
	if m.hasEnded() {
		ready = 0
	}
	if ready < len(all) {
		return fmt.Errorf("%d of %d controllers are ready", ready, len(all))
	}
	return nil
}

func (m *Manager) hasEnded() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended == nil {
		return false
	}
	select {
	case <-m.ended:
		return true
	default:
		return false
	}
}
