// SPDX-License-Identifier: Apache-2.0

package events

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"
	"k8s.io/utils/lru"
)

// told keeps the log from filling with one error for each event: it has the kind of the last error
// that was told of, by namespace.
type told struct{ last *lru.Cache }

func newTold() *told { return &told{lru.New(remembered)} }

// tell logs an error, if the last one of that place was of another kind.
func (t *told) tell(logger klog.Logger, place, kind string, err error, reason string) {
	if last, ok := t.last.Get(place); ok && last == kind {
		logger.V(4).Info("Event not written", "err", err, "reason", reason)
		return
	}
	t.last.Add(place, kind)
	logger.Error(err, "Event not written; the same error is not told again until an event is written",
		"reason", reason)
}

// result logs what came of an event. Like client-go, it takes a namespace that is being deleted, or is
// gone, for no error.
func (t *told) result(ctx context.Context, event *eventsv1.Event, err error) {
	logger := klog.FromContext(ctx)
	switch {
	case err == nil:
		t.last.Remove(event.Namespace)
	case ctx.Err() != nil: // whoever ended the item has said why
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause), isNamespaceGone(err):
		logger.V(5).Info("Event not written", "err", err, "reason", event.Reason)
	default:
		t.tell(logger, event.Namespace, string(apierrors.ReasonForError(err)), err, event.Reason)
	}
}

func isNamespaceGone(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	return details != nil && details.Kind == "namespaces"
}
