// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"sync"
)

// Namespaces is a set of namespaces in which controllers work: see [InNamespaces]. It may change
// while the manager runs. All methods are safe for concurrent use. [NewNamespaces] makes one.
type Namespaces struct {
	mu       sync.Mutex // held while subscribers are told
	informed []subscriber

	naming sync.Mutex // for a moment only: workers ask for names while Set waits for handlers
	names  map[string]bool
}

// subscriber is told of each namespace that is added or removed.
type subscriber interface {
	set(namespace string, member bool)
}

// NewNamespaces makes a set of namespaces.
func NewNamespaces(names ...string) *Namespaces {
	n := &Namespaces{names: map[string]bool{}}
	n.Set(names...)
	return n
}

// Set makes names the set. For a namespace that is new, informers start; the controllers reconcile
// what is in it when its objects arrive. For one that is gone, running reconciles of its objects are
// cancelled with [cause.Stopped], and its informers end. Objects in a namespace that is gone are not
// reported as deleted.
//
// Set returns when event handlers of the namespaces that are gone do not run any more. It must not
// be called from a filter or mapping.
func (n *Namespaces) Set(names ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range n.List() {
		if !slices.Contains(names, name) {
			n.name(name, false)
			n.tell(name, false)
		}
	}
	for _, name := range names {
		if !n.has(name) {
			n.name(name, true)
			n.tell(name, true)
		}
	}
}

// tell tells the subscribers. n.mu must be held.
func (n *Namespaces) tell(name string, member bool) {
	for _, s := range n.informed {
		s.set(name, member)
	}
}

// List returns the namespaces, sorted.
func (n *Namespaces) List() []string {
	n.naming.Lock()
	defer n.naming.Unlock()
	names := make([]string, 0, len(n.names))
	for name := range n.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (n *Namespaces) has(name string) bool {
	n.naming.Lock()
	defer n.naming.Unlock()
	return n.names[name]
}

func (n *Namespaces) name(name string, member bool) {
	n.naming.Lock()
	defer n.naming.Unlock()
	if member {
		n.names[name] = true
	} else {
		delete(n.names, name)
	}
}

// subscribe tells s of the namespaces that there are, and of changes.
func (n *Namespaces) subscribe(s subscriber) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.informed = append(n.informed, s)
	for _, name := range n.List() {
		s.set(name, true)
	}
}

// unsubscribe tells s that there is no namespace any more, and nothing after that.
func (n *Namespaces) unsubscribe(s subscriber) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.informed = slices.DeleteFunc(n.informed, func(other subscriber) bool { return other == s })
	for _, name := range n.List() {
		s.set(name, false)
	}
}
