// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/lanyard-k8s/lanyard/controller/events"
)

// recorded records events about an object, and returns all that there are.
func recorded(t *testing.T, about runtime.Object, notes ...string) []eventsv1.Event {
	t.Helper()
	client := fake.NewClientset()
	recorder := events.NewRecorder(client.EventsV1(), scheme.Scheme, "example.com/c", "pod-1")
	for _, note := range notes {
		recorder.Eventf(t.Context(), about, corev1.EventTypeWarning, "Broken", "Repair", "%s", note)
	}
	list, err := client.EventsV1().Events("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func TestAnEventSaysWhatHappenedToWhichObject(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p", UID: "u"}}
	found := recorded(t, pod, "it fell")
	if len(found) != 1 {
		t.Fatalf("%d events", len(found))
	}
	e := found[0]
	if e.Namespace != "n" || e.Regarding.Kind != "Pod" || e.Regarding.UID != "u" || e.Note != "it fell" ||
		e.Reason != "Broken" || e.Action != "Repair" || e.Type != corev1.EventTypeWarning ||
		e.ReportingController != "example.com/c" || e.ReportingInstance != "pod-1" || e.EventTime.IsZero() {
		t.Errorf("%+v", e)
	}
}

func TestTheSameEventAgainIsCountedAndAnotherIsNot(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p", UID: "u"}}
	found := recorded(t, pod, "it fell", "it fell", "it fell", "it stood up")
	if len(found) != 2 {
		t.Fatalf("%d events", len(found))
	}
	for _, e := range found {
		counted := e.Series != nil && e.Series.Count == 3
		if counted != (e.Note == "it fell") {
			t.Errorf("%q has the series %v", e.Note, e.Series)
		}
	}
}

func TestAnEventAboutAClusterScopedObjectIsInTheDefaultNamespace(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	if found := recorded(t, node, "x"); len(found) != 1 || found[0].Namespace != metav1.NamespaceDefault {
		t.Errorf("%+v", found)
	}
}

func TestALongNoteIsCutAtACharacter(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p"}}
	found := recorded(t, pod, strings.Repeat("ä", 600))
	if note := found[0].Note; len(note) > 1024 || !strings.HasSuffix(note, "ä…") {
		t.Errorf("%d bytes, ending in %q", len(note), note[len(note)-6:])
	}
}

func TestAnEventThatIsNotWrittenIsLoggedUnlessItsContextHasEnded(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p"}}
	for name, test := range map[string]struct {
		ended bool
		lines int
	}{"it failed": {false, 1}, "it was cancelled": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset()
			client.PrependReactor("create", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewInternalError(errors.New("etcd is gone"))
			})
			logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
			ctx, cancel := context.WithCancel(klog.NewContext(t.Context(), logger))
			defer cancel()
			if test.ended {
				cancel()
			}
			recorder := events.NewRecorder(client.EventsV1(), scheme.Scheme, "example.com/c", "pod-1")
			recorder.Eventf(ctx, pod, corev1.EventTypeNormal, "Broken", "Repair", "x")
			buffered, ok := logger.GetSink().(ktesting.Underlier)
			if !ok || len(buffered.GetBuffer().Data()) != test.lines {
				t.Errorf("logged: %v", buffered.GetBuffer().Data())
			}
		})
	}
}
