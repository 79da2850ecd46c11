// SPDX-License-Identifier: Apache-2.0

// Package events writes Kubernetes events in the context of the item that has something to say.
//
// client-go's own recorder hands events to goroutines of its own, which know nothing of the item,
// its deadline or its trace, and which no one can wait for. Here an event is one call like any
// other: made on the item's context, accounted to it, and returned from before the item ends.
// client-go's limits on the number of events are the same here: see [Recorder].
package events

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	eventsclient "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/klog/v2"
)

// Recorder writes events about objects, in the API group events.k8s.io. Its methods may be called
// from several goroutines at once.
//
// An event that is new costs one call, and so does a repeat, which counts up the series of the
// first. Only two cases cost more: an event that an earlier process of the same instance has written
// (three calls, once), and a repeat after the API server has dropped the event (two calls).
//
// The limits are those of [k8s.io/client-go/tools/record.EventCorrelator]:
//   - 25 events of one type at once about an object, then one in five minutes. Others are not
//     written; repeats among them are in the count of the next one that is.
//   - From the tenth event on that differs from others only in its note, within ten minutes, events
//     are combined into one, whose note says so and has the text of the first of them.
//
// The memory for this is bounded: a recorder remembers the last 4096 events and objects.
type Recorder struct {
	source source
	memory *memory
	writer writer
	told   *told
}

// NewRecorder makes a recorder. scheme knows the kinds of the objects; controller is the reporting
// controller, such as wardle.example.com/flunder-controller; instance is the pod's or host's name.
// The account needs the verbs create, get and patch for events in the API group events.k8s.io.
// Make one recorder for a program, because each has limits of its own.
func NewRecorder(
	client eventsclient.EventsGetter,
	scheme *runtime.Scheme,
	controller, instance string,
) *Recorder {
	memory := newMemory()
	return &Recorder{
		source: source{scheme: scheme, controller: controller, instance: instance},
		memory: memory, writer: writer{client, memory}, told: newTold(),
	}
}

// Eventf writes an event about an object, and returns when that is done or ctx has ended. related is
// a second object that has to do with it, or nil. eventType is corev1.EventTypeNormal or
// EventTypeWarning, reason and action are words in CamelCase, and note is for people.
//
// The event is in the namespace of the object, or in the namespace default if the object has none.
// The kind of an object comes from the object itself, if it says one, or from the scheme. If
// neither knows it, which is the case for the objects of metadata informers, pass a
// *corev1.ObjectReference instead of the object.
//
// A note is cut at 1024 bytes. An event that cannot be written is dropped: it is no reason for a
// reconcile to fail. The log has the first error of each kind, and has it again after an event of
// that namespace was written. There is no error line if ctx has ended or the namespace is being
// deleted.
func (r *Recorder) Eventf(
	ctx context.Context,
	regarding, related runtime.Object,
	eventType, reason, action, note string,
	args ...any,
) {
	event, err := r.source.newEvent(regarding, related)
	if err != nil {
		r.told.tell(klog.FromContext(ctx), fmt.Sprintf("%T", regarding), "kind", err, reason)
		return
	}
	event.Type, event.Reason, event.Action = eventType, reason, action
	event.Note = cut(fmt.Sprintf(note, args...))
	event.Name = r.source.name(event, event.Note)
	decided := r.memory.decide(event, func() string { return r.source.name(event, combined) })
	if decided.skip {
		klog.FromContext(ctx).V(4).Info("Event not written: there are too many about this object",
			"reason", reason, "action", action)
		return
	}
	r.told.result(ctx, event, r.writer.write(ctx, event, decided))
}
