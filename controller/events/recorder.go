// SPDX-License-Identifier: Apache-2.0

// Package events writes Kubernetes events in the context of the item that has something to say.
//
// client-go's own recorder hands events to goroutines of its own, which know nothing of the item,
// its deadline or its trace, and which no one can wait for. Here an event is one call like any
// other: made on the item's context, accounted to it, and returned from before the item ends.
package events

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	eventsclient "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/tools/reference"
	"k8s.io/klog/v2"
)

// maxNote is the length in bytes that the API server accepts for a note.
const maxNote = 1024

// Recorder writes events about objects.
type Recorder struct {
	client     eventsclient.EventsGetter
	scheme     *runtime.Scheme
	controller string
	instance   string
}

// NewRecorder makes a recorder. scheme knows the kinds of the objects; controller is the reporting
// controller, such as wardle.example.com/flunder-controller; instance is the pod's or host's name.
func NewRecorder(
	client eventsclient.EventsGetter,
	scheme *runtime.Scheme,
	controller, instance string,
) *Recorder {
	return &Recorder{client: client, scheme: scheme, controller: controller, instance: instance}
}

// Eventf writes an event about an object. eventType is corev1.EventTypeNormal or EventTypeWarning,
// reason and action are words in CamelCase, and note is for people. The same event again counts up
// the series of the first. An event that cannot be written is logged and otherwise dropped: it is
// no reason for a reconcile to fail.
func (r *Recorder) Eventf(
	ctx context.Context,
	regarding runtime.Object,
	eventType, reason, action, note string,
	args ...any,
) {
	ref, err := reference.GetReference(r.scheme, regarding)
	if err == nil {
		err = r.record(ctx, r.event(ref, eventType, reason, action, fmt.Sprintf(note, args...)))
	}
	if err != nil && ctx.Err() == nil {
		klog.FromContext(ctx).Error(err, "Event not written", "reason", reason, "action", action)
	}
}

func (r *Recorder) event(
	ref *corev1.ObjectReference,
	eventType, reason, action, note string,
) *eventsv1.Event {
	if len(note) > maxNote {
		note = strings.ToValidUTF8(note[:maxNote-len("…")], "") + "…"
	}
	hash := fnv.New64a()
	for _, part := range []string{string(ref.UID), r.controller, r.instance, eventType, reason, action, note} {
		_, _ = hash.Write([]byte(part + "\x00")) // never fails
	}
	namespace := ref.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	return &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace,
			Name:      fmt.Sprintf("%s.%x", ref.Name, hash.Sum64()),
		},
		EventTime:           metav1.NowMicro(),
		ReportingController: r.controller,
		ReportingInstance:   r.instance,
		Action:              action,
		Reason:              reason,
		Regarding:           *ref,
		Note:                note,
		Type:                eventType,
	}
}

// record creates the event, or counts up the one that is there: the name is made from what the
// event says, so that no memory of earlier events is needed, not even across restarts.
func (r *Recorder) record(ctx context.Context, event *eventsv1.Event) error {
	client := r.client.Events(event.Namespace)
	_, err := client.Create(ctx, event, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	known, err := client.Get(ctx, event.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	count := int32(2)
	if known.Series != nil {
		count = known.Series.Count + 1
	}
	patch, err := json.Marshal(map[string]any{"series": map[string]any{
		"count":            count,
		"lastObservedTime": event.EventTime.UTC().Format(metav1.RFC3339Micro),
	}})
	if err != nil {
		return err
	}
	_, err = client.Patch(ctx, event.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}
