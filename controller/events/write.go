// SPDX-License-Identifier: Apache-2.0

package events

import (
	"context"
	"encoding/json"

	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	eventsclient "k8s.io/client-go/kubernetes/typed/events/v1"
)

// writer writes events, and keeps in mind what it wrote.
type writer struct {
	client eventsclient.EventsGetter
	memory *memory
}

// write creates the event, or counts up the one that is there. Its name is made from what it says, so
// that one which an earlier process has written is found by its name.
func (w writer) write(ctx context.Context, event *eventsv1.Event, decided decision) error {
	if decided.exists {
		err := w.countUp(ctx, event, decided.count)
		if !apierrors.IsNotFound(err) {
			return err
		}
		w.memory.forget(event) // the API server keeps events for an hour, if it is not told otherwise
		decided.count = 1
	}
	if decided.count > 1 { // the first of them were not written
		event.Series = seriesOf(event, decided.count)
	}
	_, err := w.client.Events(event.Namespace).Create(ctx, event, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return w.adopt(ctx, event)
	}
	if err == nil {
		w.memory.wrote(event)
	}
	return err
}

// adopt counts up an event which this process does not know that it has written.
func (w writer) adopt(ctx context.Context, event *eventsv1.Event) error {
	count, err := w.memory.found(event, func() (int32, error) {
		there, err := w.client.Events(event.Namespace).Get(ctx, event.Name, metav1.GetOptions{})
		if err != nil || there.Series == nil {
			return 1, err
		}
		return there.Series.Count, nil
	})
	if err != nil {
		return err
	}
	return w.countUp(ctx, event, count)
}

func (w writer) countUp(ctx context.Context, event *eventsv1.Event, count int32) error {
	patch, err := json.Marshal(map[string]any{"series": seriesOf(event, count)})
	if err != nil {
		return err
	}
	client := w.client.Events(event.Namespace)
	_, err = client.Patch(ctx, event.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

func seriesOf(event *eventsv1.Event, count int32) *eventsv1.EventSeries {
	return &eventsv1.EventSeries{Count: count, LastObservedTime: event.EventTime}
}
