// SPDX-License-Identifier: Apache-2.0

package events

import (
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
)

// The limits are client-go's, which it does not export.
const (
	remembered      = 4096     // events, objects
	spamBurst       = 25       // events at once about an object
	spamPerSecond   = 1. / 300 // and then
	combineFrom     = 10       // notes of one reason
	combineInterval = 600      // seconds
)

// combined begins the note of an event that stands for several, as it does in client-go.
const combined = "(combined from similar events): "

// memory has what a process knows of the events that it wrote. It is made of the parts of client-go's
// EventCorrelator, and not of all of it: that one counts in fields which events.k8s.io does not have,
// and changes notes, which events.k8s.io forbids.
type memory struct {
	mu      sync.Mutex // the parts of client-go expect one caller at a time
	spam    *record.EventSourceObjectSpamFilter
	similar *record.EventAggregator
	written *lru.Cache // of *series, by namespace and name
}

// series is what is known of the event of one name.
type series struct {
	count  int32 // how often it happened
	exists bool  // the API server has it
}

// decision is what to do about an event.
type decision struct {
	skip   bool
	count  int32 // how often the event has happened, with this time
	exists bool
}

func newMemory() *memory {
	return &memory{
		spam: record.NewEventSourceObjectSpamFilter(
			remembered, spamBurst, spamPerSecond, clock.RealClock{}, aboutWhat),
		similar: record.NewEventAggregator(
			remembered, record.EventAggregatorByReasonFunc, record.EventAggregatorByReasonMessageFunc,
			combineFrom, combineInterval, clock.RealClock{}),
		written: lru.New(remembered),
	}
}

// decide says what to do about an event, and counts it. If there are many that are similar, it makes
// the event the one that stands for all of them, which has another name.
func (m *memory) decide(event *eventsv1.Event, combinedName func() string) decision {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := coreEvent(event)
	if several, _ := m.similar.EventAggregate(old); several != old {
		event.Name, event.Note = combinedName(), cut(combined+event.Note)
	}
	known := m.known(event)
	known.count++
	return decision{skip: m.spam.Filter(old), count: known.count, exists: known.exists}
}

// wrote notes that the API server has an event.
func (m *memory) wrote(event *eventsv1.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known(event).exists = true
}

// forget begins the count of an event anew: the API server has dropped it.
func (m *memory) forget(event *eventsv1.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*m.known(event) = series{count: 1}
}

// found returns the count of an event that the API server had, though this process has not written
// it. atServer is the count there. It is not asked for if this process has written it meanwhile.
func (m *memory) found(event *eventsv1.Event, atServer func() (int32, error)) (int32, error) {
	m.mu.Lock()
	known := *m.known(event)
	m.mu.Unlock()
	if known.exists {
		return known.count, nil
	}
	before, err := atServer()
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.known(event)
	if !now.exists {
		now.count, now.exists = now.count+before, true
	}
	return now.count, nil
}

func (m *memory) known(event *eventsv1.Event) *series {
	key := event.Namespace + "/" + event.Name
	if found, ok := m.written.Get(key); ok {
		return found.(*series)
	}
	made := &series{}
	m.written.Add(key, made)
	return made
}

// aboutWhat is the key of the limit: what client-go has in its own, which it does not export.
func aboutWhat(event *corev1.Event) string {
	ref := event.InvolvedObject
	parts := []string{ref.APIVersion, ref.Kind, ref.Namespace, ref.Name, string(ref.UID), event.Type}
	return strings.Join(parts, "\x00")
}

// coreEvent is the event in the form that client-go's limits read.
func coreEvent(event *eventsv1.Event) *corev1.Event {
	return &corev1.Event{
		InvolvedObject:      event.Regarding,
		Source:              corev1.EventSource{Component: event.ReportingController, Host: event.ReportingInstance},
		ReportingController: event.ReportingController,
		ReportingInstance:   event.ReportingInstance,
		Type:                event.Type,
		Reason:              event.Reason,
		Message:             event.Note,
	}
}
