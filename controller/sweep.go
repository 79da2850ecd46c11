// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"sync"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// The times of a sweep. A mapping that panics once may do so for many objects, one after the other,
// and for each event of them.
const (
	sweepDelay  = time.Second // after the first panic
	sweepPeriod = time.Minute // between two sweeps
)

// sweep adds all objects of a controller to its queue, with low priority, some time after it was
// asked to. It is safe for concurrent use.
type sweep struct {
	add func()

	mu      sync.Mutex
	timer   *time.Timer // nil unless one waits
	last    time.Time
	stopped bool
}

func newSweep(ctx context.Context, queue *pipeline.Queue, all func() []Request) *sweep {
	return &sweep{add: func() {
		if ctx.Err() == nil {
			queue.Add(ctx, &observe.Enqueue{Reason: reconcile.RelatedChanged, Requests: all()}, true)
		}
	}}
}

// ask asks for a sweep. If one waits already, that one is enough.
func (s *sweep) ask() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil || s.stopped {
		return
	}
	wait := sweepDelay
	if !s.last.IsZero() {
		wait = max(wait, time.Until(s.last.Add(sweepPeriod)))
	}
	s.timer = time.AfterFunc(wait, s.run)
}

func (s *sweep) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.timer = nil
	s.last = time.Now()
	s.add()
}

// stop ends the sweep. When it returns, nothing is added any more.
func (s *sweep) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
}
