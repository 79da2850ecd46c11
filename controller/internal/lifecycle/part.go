// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"errors"
	"sync"
)

// Part is something that was added to a manager, such as a controller, and can be stopped alone. It
// may run several times, such as once in each term. It is safe for concurrent use.
type Part struct {
	mu      sync.Mutex
	why     error // why it was told to stop; nil before that
	runs    map[*partRun]struct{}
	after   []func() // are called when it has stopped
	hurried chan struct{}
	stopped chan struct{}
}

type partRun struct{ cancel context.CancelCauseFunc }

// NewPart makes a part, which does not run.
func NewPart() *Part {
	return &Part{
		runs: map[*partRun]struct{}{}, hurried: make(chan struct{}), stopped: make(chan struct{}),
	}
}

// Run calls f with a context that ends with ctx, and with Stop. After Stop it does nothing. That f
// was cancelled by Stop is no error.
func (p *Part) Run(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(context.Canceled)
	run := &partRun{cancel}
	if !p.begin(run) {
		return nil
	}
	defer p.end(run)
	err := f(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (p *Part) begin(run *partRun) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why != nil {
		return false
	}
	p.runs[run] = struct{}{}
	return true
}

func (p *Part) end(run *partRun) {
	p.mu.Lock()
	delete(p.runs, run)
	finish := p.finished()
	p.mu.Unlock()
	finish()
}

// Stop ends the contexts of the part with a cause. Only the first call counts. It does not wait.
func (p *Part) Stop(why error) {
	p.mu.Lock()
	if p.why != nil {
		p.mu.Unlock()
		return
	}
	p.why = why
	p.hurry()
	for run := range p.runs {
		run.cancel(why)
	}
	finish := p.finished()
	p.mu.Unlock()
	finish()
}

// finished returns what is to be done once the part was told to stop and nothing of it runs. That is
// so only once, because nothing begins after Stop. p.mu must be held.
func (p *Part) finished() (finish func()) {
	if p.why == nil || len(p.runs) > 0 {
		return func() {}
	}
	after := p.after
	p.after = nil
	return func() {
		for _, f := range after {
			f()
		}
		close(p.stopped)
	}
}

// AfterStop calls f once, when the part was stopped and has returned.
func (p *Part) AfterStop(f func()) {
	p.mu.Lock()
	if p.why == nil || len(p.runs) > 0 {
		p.after = append(p.after, f)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	f()
}

// Stopped is closed when the part was told to stop and has returned.
func (p *Part) Stopped() <-chan struct{} { return p.stopped }

// Stopping reports whether the part was told to stop.
func (p *Part) Stopping() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why != nil
}

// Hurry closes the channel that Hurried returns.
func (p *Part) Hurry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hurry()
}

// Hurried is closed when a drain of the part is to be cut short: by Hurry, and by Stop.
func (p *Part) Hurried() <-chan struct{} { return p.hurried }

func (p *Part) hurry() {
	select {
	case <-p.hurried:
	default:
		close(p.hurried)
	}
}
