// SPDX-License-Identifier: Apache-2.0

package events

import (
	"fmt"
	"hash/fnv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/reference"
)

// maxNote is the length in bytes that the API server accepts for a note.
const maxNote = 1024

// source is who records events.
type source struct {
	scheme     *runtime.Scheme // knows the kinds of objects
	controller string
	instance   string
}

// cut shortens a note to what the API server accepts, at the end of a character.
func cut(note string) string {
	if len(note) <= maxNote {
		return note
	}
	return strings.ToValidUTF8(note[:maxNote-len("…")], "") + "…"
}

// newEvent makes an event that says which objects it is about, and nothing else.
func (s source) newEvent(regarding, related runtime.Object) (*eventsv1.Event, error) {
	ref, err := s.reference(regarding)
	if err != nil {
		return nil, err
	}
	event := &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: ref.Namespace},
		EventTime:           metav1.NowMicro(),
		ReportingController: s.controller,
		ReportingInstance:   s.instance,
		Regarding:           *ref,
	}
	if event.Namespace == "" {
		event.Namespace = metav1.NamespaceDefault
	}
	if related != nil {
		event.Related, err = s.reference(related)
	}
	return event, err
}

func (s source) reference(object runtime.Object) (*corev1.ObjectReference, error) {
	ref, err := reference.GetReference(s.scheme, object)
	if err == nil && ref.APIVersion == metav1.SchemeGroupVersion.String() { // what metadata clients say
		err = fmt.Errorf("the object has only its metadata, without its kind")
	}
	if err != nil {
		return nil, fmt.Errorf("refer to a %T: %w (add its kind to the scheme that NewRecorder gets, "+
			"or pass a *corev1.ObjectReference instead of the object)", object, err)
	}
	return ref, nil
}

// name makes a name from what the event says, so that it is the same for a repeat, also after a
// restart. note is what tells it from others of its reason.
func (s source) name(event *eventsv1.Event, note string) string {
	ref, related := event.Regarding, corev1.ObjectReference{}
	if event.Related != nil {
		related = *event.Related
	}
	hash := fnv.New64a()
	for _, part := range []string{
		ref.APIVersion, ref.Kind, ref.Name, string(ref.UID), ref.FieldPath,
		related.Kind, related.Namespace, related.Name, string(related.UID), related.FieldPath,
		s.controller, s.instance, event.Type, event.Reason, event.Action, note,
	} {
		_, _ = hash.Write([]byte(part + "\x00")) // never fails
	}
	name := fmt.Sprintf("%s.%x", ref.Name, hash.Sum64())
	if len(validation.NameIsDNSSubdomain(name, false)) > 0 { // such as system:node, or too long
		name = fmt.Sprintf("%s.%x", strings.ToLower(ref.Kind), hash.Sum64())
	}
	return name
}
