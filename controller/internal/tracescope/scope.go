// Package tracescope is how the controller tells the package tracing, by an item's context, what applies to traces
// in annotations. It is apart from both, so that an item can carry it without an allocation.
package tracescope

import "k8s.io/apimachinery/pkg/types"

// Key is the key of a *Scope in a context.
type Key struct{}

// Scope is what a context says about annotations.
type Scope struct {
	Annotations any       // a *tracing.Annotations; nil: nothing is said here
	Self        types.UID // the object that is being reconciled
}
