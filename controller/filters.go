// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"maps"
	"slices"
)

// GenerationChanged is a [Filter] that drops updates which leave metadata.generation as it is, such
// as changes of the status or of labels. Use it for kinds with a status subresource. It drops
// nothing of a kind without a generation, such as Node or ConfigMap.
//
// Like all filters of this package it passes, whatever else it says, what must not be missed:
// creations, deletions, resyncs, the update with which a deletion begins, and the update with which
// an object is another one of the same name. client-go tells of the last if an object was deleted and
// created again while the watch was down.
func GenerationChanged[O Object](ctx context.Context, event Event[O]) bool {
	if vital(event) || event.Old.GetGeneration() == 0 || event.New.GetGeneration() == 0 {
		return unknown(ctx)
	}
	return event.Old.GetGeneration() != event.New.GetGeneration()
}

// LabelsChanged is a [Filter] that drops updates which leave the labels as they are. It passes what
// must not be missed: see [GenerationChanged].
func LabelsChanged[O Object](ctx context.Context, event Event[O]) bool {
	if vital(event) {
		return unknown(ctx)
	}
	return !maps.Equal(event.Old.GetLabels(), event.New.GetLabels())
}

// AnnotationsChanged is a [Filter] that drops updates which leave the annotations as they are. It
// passes what must not be missed: see [GenerationChanged].
func AnnotationsChanged[O Object](ctx context.Context, event Event[O]) bool {
	if vital(event) {
		return unknown(ctx)
	}
	return !maps.Equal(event.Old.GetAnnotations(), event.New.GetAnnotations())
}

// FinalizersChanged is a [Filter] that drops updates which leave the finalizers as they are. It
// passes what must not be missed: see [GenerationChanged].
func FinalizersChanged[O Object](ctx context.Context, event Event[O]) bool {
	if vital(event) {
		return unknown(ctx)
	}
	return !slices.Equal(event.Old.GetFinalizers(), event.New.GetFinalizers())
}

// Matches returns a [Filter] that passes an event if the object matched before it or matches after
// it. So an object that stops matching is reconciled once more. It needs no exceptions for what must
// not be missed: an object that never matched concerns nobody.
func Matches[O Object](match func(object O) bool) Filter[O] {
	return func(_ context.Context, event Event[O]) bool {
		var none O
		return event.Old != none && match(event.Old) || event.New != none && match(event.New)
	}
}

// And returns a [Filter] that passes what all filters pass. Without filters it passes everything.
func And[O Object](filters ...Filter[O]) Filter[O] {
	return func(ctx context.Context, event Event[O]) bool {
		for _, passes := range filters {
			if !passes(ctx, event) {
				return false
			}
		}
		return true
	}
}

// Or returns a [Filter] that passes what at least one of the filters passes. Without filters it
// passes nothing.
func Or[O Object](filters ...Filter[O]) Filter[O] {
	return func(ctx context.Context, event Event[O]) bool {
		return slices.ContainsFunc(filters, func(passes Filter[O]) bool { return passes(ctx, event) })
	}
}

// Not returns a [Filter] that passes the updates which filter drops, and drops those which it passes.
// It also passes what must not be missed: see [GenerationChanged]. Not(GenerationChanged) passes
// changes of the status and of the metadata, and all updates of a kind without a generation.
//
// Because Not passes all creations and deletions, it does not turn [Matches] around for them: give
// Matches the opposite function instead.
func Not[O Object](filter Filter[O]) Filter[O] {
	return func(ctx context.Context, event Event[O]) bool {
		if vital(event) {
			return unknown(ctx)
		}
		return !filter(context.WithValue(ctx, invertedKey{}, !inverted(ctx)), event)
	}
}

// vital reports whether an event must not be missed, because it is more than a change of an object
// that exists: see GenerationChanged.
func vital[O Object](event Event[O]) bool {
	return event.Type != Updated ||
		event.Old.GetUID() != event.New.GetUID() ||
		event.Old.GetResourceVersion() == event.New.GetResourceVersion() ||
		event.Old.GetDeletionTimestamp().IsZero() && !event.New.GetDeletionTimestamp().IsZero()
}

// invertedKey is the key of whether the answer of a filter is turned around, by an odd number of Not.
type invertedKey struct{}

func inverted(ctx context.Context) bool {
	turned, _ := ctx.Value(invertedKey{}).(bool)
	return turned
}

// unknown is the answer with which an event passes in the end, whatever Not makes of it.
func unknown(ctx context.Context) bool { return !inverted(ctx) }
