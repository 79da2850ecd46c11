// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"sync"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// parked is the items of a queue that wait for caches. They occupy no worker.
type parked struct {
	mu    sync.Mutex
	since map[reconcile.Request]time.Time
}

// begin notes that an item waits, and returns since when.
func (p *parked) begin(request reconcile.Request, now time.Time) (since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since, waits := p.since[request]; waits {
		return since
	}
	if p.since == nil {
		p.since = map[reconcile.Request]time.Time{}
	}
	p.since[request] = now
	return now
}

// end notes that an item does not wait any more, if it has.
func (p *parked) end(request reconcile.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.since, request)
}

func (p *parked) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.since)
}

func (p *parked) has(request reconcile.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, waits := p.since[request]
	return waits
}

func (p *parked) all() map[reconcile.Request]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make(map[reconcile.Request]bool, len(p.since))
	for request := range p.since {
		all[request] = true
	}
	return all
}
