// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Hook is called for a call. It may wait, as long as its context lasts, which is the call's own. An error fails the
// call: one that has a status, such as those of k8s.io/apimachinery/pkg/api/errors, is the answer of the API server,
// and any other is a connection that broke.
type Hook func(context.Context, Call) error

// hooks are what a test wants to be called.
type hooks struct {
	mu  sync.Mutex
	all []*Hook
}

// add adds a hook, and returns what removes it.
func (h *hooks) add(hook Hook) (remove func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, &hook)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all = slices.DeleteFunc(slices.Clone(h.all), func(other *Hook) bool { return other == &hook })
	}
}

// call calls the hooks in the order in which they were added, until one fails.
func (h *hooks) call(ctx context.Context, c Call) error {
	h.mu.Lock()
	all := h.all
	h.mu.Unlock()
	for _, hook := range all {
		if err := (*hook)(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// waits is a hook that takes time.
func waits(d time.Duration, match func(Call) bool) Hook {
	return func(ctx context.Context, c Call) error {
		if match != nil && !match(c) {
			return nil
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
