// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"net/url"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// collect does what a garbage collector does after a write, until there is no more to do. The caller holds the
// store's lock.
func collect(all served, s *store) {
	for again := true; again; {
		g := &garbage{store: s, all: all, owners: map[types.UID]*object{}, dependents: map[types.UID][]owned{}}
		g.look()
		again = g.collect()
	}
}

// garbage is who owns whom at one moment.
type garbage struct {
	store      *store
	all        served
	objects    []owned
	owners     map[types.UID]*object
	dependents map[types.UID][]owned
}

// owned is an object with the resource that it is of.
type owned struct {
	of schema.GroupResource
	*object
}

func (g *garbage) look() {
	for of := range g.store.objects {
		for _, o := range g.store.list(of, "") {
			g.objects = append(g.objects, owned{of, o})
			g.owners[o.GetUID()] = o
			for _, owner := range o.GetOwnerReferences() {
				g.dependents[owner.UID] = append(g.dependents[owner.UID], owned{of, o})
			}
		}
	}
}

// collect makes one change, and reports whether it did.
func (g *garbage) collect() bool {
	for _, o := range g.objects {
		switch {
		case o.GetDeletionTimestamp() != nil && slices.Contains(o.GetFinalizers(), metav1.FinalizerOrphanDependents):
			for _, d := range g.dependents[o.GetUID()] {
				g.change(d, func(kept *object) { disown(kept, o.GetUID()) })
			}
			g.change(o, func(kept *object) { unfinalize(kept, metav1.FinalizerOrphanDependents) })
			return true
		case o.GetDeletionTimestamp() != nil && slices.Contains(o.GetFinalizers(), metav1.FinalizerDeleteDependents):
			if g.inForeground(o) {
				return true
			}
		case o.GetDeletionTimestamp() == nil && len(o.GetOwnerReferences()) > 0 && g.alone(o):
			g.end(o)
			return true
		}
	}
	return false
}

// alone reports whether all owners of an object are gone.
func (g *garbage) alone(o owned) bool {
	for _, owner := range o.GetOwnerReferences() {
		if g.owners[owner.UID] != nil {
			return false
		}
	}
	return true
}

// inForeground deletes what an object owns, and then lets the object go.
func (g *garbage) inForeground(o owned) bool {
	blocked := false
	for _, d := range g.dependents[o.GetUID()] {
		if d.GetDeletionTimestamp() == nil {
			g.end(d)
			return true
		}
		blocks := func(r metav1.OwnerReference) bool {
			return r.UID == o.GetUID() && r.BlockOwnerDeletion != nil && *r.BlockOwnerDeletion
		}
		blocked = blocked || slices.ContainsFunc(d.GetOwnerReferences(), blocks)
	}
	if !blocked {
		g.change(o, func(kept *object) { unfinalize(kept, metav1.FinalizerDeleteDependents) })
	}
	return !blocked
}

// writer returns what changes an object.
func (g *garbage) writer(o owned) *writer {
	for _, r := range g.all {
		if r.groupResource() == o.of {
			call := Call{Namespace: o.GetNamespace(), Name: o.GetName()}
			return &writer{store: g.store, resource: r, request: &request{Call: call, query: url.Values{}}}
		}
	}
	panic("virtualtest: there is an object of " + o.of.String() + ", which is not served")
}

func (g *garbage) end(o owned) { g.writer(o).end(o.DeepCopy(), &metav1.DeleteOptions{}) }

func (g *garbage) change(o owned, f func(*object)) {
	changed := o.DeepCopy()
	f(changed)
	g.writer(o).settle(o.object, changed)
}

func disown(o *object, owner types.UID) {
	o.SetOwnerReferences(slices.DeleteFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner }))
}

func unfinalize(o *object, finalizer string) {
	o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(f string) bool { return f == finalizer }))
}
