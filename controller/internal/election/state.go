// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"sync/atomic"

	"k8s.io/klog/v2"
)

// state is what a candidate remembers from one attempt to acquire the lease to the next.
type state struct {
	// retry holds one element when a new attempt may acquire the lease at once.
	retry chan struct{}
	// requested is set when a request is sent that can make this candidate the holder.
	requested atomic.Bool
	// leader is the other holder that the lease showed last, "" for none. Only the goroutine of the
	// elector that runs uses it.
	leader string
	// ended is the process that has ended of which it was logged last. The same goroutine uses it.
	ended string
}

func newState() *state { return &state{retry: make(chan struct{}, 1)} }

// retryNow makes a campaign try again at once. It has no effect on a leader.
func (s *state) retryNow() {
	select {
	case s.retry <- struct{}{}:
	default:
	}
}

// clearRetry forgets a call of retryNow from before an attempt that begins now.
func (s *state) clearRetry() {
	select {
	case <-s.retry:
	default:
	}
}

// logLeader logs which other process holds the lease, once for each that does. leader is "" when
// none does.
func (s *state) logLeader(ctx context.Context, lease, leader string) {
	if leader != "" && leader != s.leader {
		klog.FromContext(ctx).Info("Another process leads", "lease", lease, "holder", leader)
	}
	s.leader = leader
}

// logEnded logs that the holder of the lease has ended, once for each process, and how that is known.
func (s *state) logEnded(ctx context.Context, lease, holder, process, how string) {
	if process != s.ended {
		klog.FromContext(ctx).Info("The holder of the lease has ended: taking the lease at once",
			"lease", lease, "holder", holder, "because", how)
	}
	s.ended = process
	s.leader = ""
}

// retryNowError ends an attempt because another attempt may acquire the lease at once.
type retryNowError struct{}

func (retryNowError) Error() string { return "the lease may be free: trying again at once" }

// stoppedError says that nothing was sent to acquire the lease because the campaign has ended.
type stoppedError struct{ cause error }

func (e *stoppedError) Error() string { return "the campaign has ended: " + e.cause.Error() }
func (e *stoppedError) Unwrap() error { return e.cause }
