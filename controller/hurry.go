// SPDX-License-Identifier: Apache-2.0

package controller

import "sync"

// hurry is closed when drains are to be cut short. It is safe for concurrent use.
type hurry struct {
	closed chan struct{}
	once   sync.Once
}

func newHurry() *hurry { return &hurry{closed: make(chan struct{})} }

// close closes the channel, and reports whether it was open.
func (h *hurry) close() (first bool) {
	h.once.Do(func() {
		close(h.closed)
		first = true
	})
	return first
}
