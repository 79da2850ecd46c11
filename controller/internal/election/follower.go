// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/witness"
)

// follower follows the pod of the lease's holder while this candidate campaigns.
type follower struct {
	prover prover
	// ended is called once for each holder whose end has become known.
	ended func()

	mu          sync.Mutex
	campaigning bool
	container   witness.Container
	stop        func() // nil: no pod is followed

	leaseMu sync.Mutex            // never held while a watch is stopped, which waits for changed
	lease   *coordinationv1.Lease // whose holder is followed
	told    string                // the process of which ended was called last
}

// Follower follows the pods of holders of Leases beside that of a candidate, such as those of other replicas.
// Follow and End must not be called at the same time.
type Follower struct{ follower *follower }

// Follow follows the pod of the holder of this Lease, and no other any more.
func (f *Follower) Follow(ctx context.Context, lease *coordinationv1.Lease) {
	f.follower.follow(ctx, lease)
}

// Ended returns how it is known that the process that holds the Lease has ended, "" if it is not known.
func (f *Follower) Ended(lease *coordinationv1.Lease) string { return f.follower.prover.ended(lease) }

// End ends the watch of the pod, and waits for it.
func (f *Follower) End() { f.follower.end() }

// begin lets follow begin.
func (f *follower) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.campaigning = true
}

// end ends the watch of the holder's pod, and waits for it.
func (f *follower) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.campaigning = false
	f.leave()
}

// follow follows the pod of the holder of this lease, and no other any more.
func (f *follower) follow(ctx context.Context, lease *coordinationv1.Lease) {
	if f.prover.witness == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	home, ok := homeOf(lease)
	own := f.prover.owner
	if !f.campaigning || !ok || own.holds(lease) || home.isFollowedBy(own.home) {
		f.leave()
		return
	}
	f.keep(lease)
	if f.stop != nil && f.container == home.Container {
		return
	}
	f.leave()
	f.container = home.Container
	f.stop = f.prover.witness.Follow(ctx, home.Container, f.changed)
}

// leave ends the watch. f.mu must be held.
func (f *follower) leave() {
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
}

func (f *follower) keep(lease *coordinationv1.Lease) {
	f.leaseMu.Lock()
	defer f.leaseMu.Unlock()
	f.lease = lease
}

// changed is called when something else is known of the holder's pod. What it starts is not started again
// by the next change, which may come in the middle of it.
func (f *follower) changed() {
	f.leaseMu.Lock()
	defer f.leaseMu.Unlock()
	process := f.lease.Annotations[ProcessAnnotation]
	if process == f.told || f.prover.ended(f.lease) == "" {
		return
	}
	f.told = process
	f.ended()
}
