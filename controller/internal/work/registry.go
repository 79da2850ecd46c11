// SPDX-License-Identifier: Apache-2.0

package work

import (
	"slices"
	"sync"
)

// Registry knows every unit that is running. The zero value is ready for use.
type Registry struct {
	mu   sync.Mutex
	live map[*Unit]struct{}
}

// Add takes a unit up until Remove.
func (r *Registry) Add(u *Unit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live == nil {
		r.live = map[*Unit]struct{}{}
	}
	r.live[u] = struct{}{}
	u.registry.Store(r)
}

// MayHave reports whether a unit may be one of the registry's: it is in no other.
func (r *Registry) MayHave(u *Unit) bool {
	in := u.registry.Load()
	return in == nil || in == any(r)
}

// Remove forgets a unit that has returned.
func (r *Registry) Remove(u *Unit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.live, u)
}

// Live returns the running units, oldest first.
func (r *Registry) Live() []*Unit {
	r.mu.Lock()
	defer r.mu.Unlock()
	units := make([]*Unit, 0, len(r.live))
	for u := range r.live {
		units = append(units, u)
	}
	slices.SortFunc(units, func(a, b *Unit) int { return a.Start.Compare(b.Start) })
	return units
}
