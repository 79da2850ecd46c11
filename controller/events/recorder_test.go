// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/lanyard-k8s/lanyard/controller/events"
)

// recording is a recorder, with what it has written and logged.
type recording struct {
	*testing.T
	*events.Recorder
	client *fake.Clientset
	ctx    context.Context
	log    ktesting.Buffer
}

func newRecording(t *testing.T) *recording {
	logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true), ktesting.Verbosity(0)))
	r := &recording{T: t, client: fake.NewClientset(), ctx: klog.NewContext(t.Context(), logger)}
	r.log = logger.GetSink().(ktesting.Underlier).GetBuffer()
	r.restart()
	return r
}

// restart makes a recorder that remembers nothing, as a new process of the same name has.
func (r *recording) restart() {
	r.Recorder = events.NewRecorder(r.client.EventsV1(), scheme.Scheme, "example.com/c", "pod-1")
}

func (r *recording) record(about runtime.Object, notes ...string) {
	for _, note := range notes {
		r.Eventf(r.ctx, about, nil, corev1.EventTypeWarning, "Broken", "Repair", "%s", note)
	}
}

func (r *recording) events() []eventsv1.Event {
	r.Helper()
	list, err := r.client.EventsV1().Events("").List(r.Context(), metav1.ListOptions{})
	if err != nil {
		r.Fatal(err)
	}
	r.client.ClearActions()
	return list.Items
}

// calls says which calls were made since the last time.
func (r *recording) calls() string {
	var verbs []string
	for _, action := range r.client.Actions() {
		verbs = append(verbs, action.GetVerb())
	}
	r.client.ClearActions()
	return strings.Join(verbs, " ")
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, UID: "u"}}
}

func TestAnEventSaysWhatHappenedToWhichObject(t *testing.T) {
	r := newRecording(t)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", UID: "v"}}
	r.Eventf(r.ctx, pod("p"), node, corev1.EventTypeWarning, "Broken", "Repair", "it %s", "fell")
	found := r.events()
	if len(found) != 1 {
		t.Fatalf("%d events", len(found))
	}
	e := found[0]
	if e.Namespace != "n" || e.Regarding.Kind != "Pod" || e.Regarding.UID != "u" || e.Note != "it fell" ||
		e.Related == nil || e.Related.Kind != "Node" || e.Related.UID != "v" ||
		e.Reason != "Broken" || e.Action != "Repair" || e.Type != corev1.EventTypeWarning ||
		e.ReportingController != "example.com/c" || e.ReportingInstance != "pod-1" || e.EventTime.IsZero() {
		t.Errorf("%+v", e)
	}
}

func TestAnEventAboutAClusterScopedObjectIsInTheDefaultNamespaceUnderAValidName(t *testing.T) {
	for _, about := range []runtime.Object{
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}},
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "system:node"}},
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: strings.Repeat("x", 250)}},
	} {
		r := newRecording(t)
		r.record(about, "x", "x")
		found := r.events()
		if len(found) != 1 || found[0].Namespace != metav1.NamespaceDefault ||
			strings.Contains(found[0].Name, ":") || len(found[0].Name) > 253 {
			t.Errorf("%+v", found)
		}
	}
}

func TestALongNoteIsCutAtACharacter(t *testing.T) {
	r := newRecording(t)
	r.record(pod("p"), strings.Repeat("ä", 600))
	if note := r.events()[0].Note; len(note) > 1024 || !strings.HasSuffix(note, "ä…") {
		t.Errorf("%d bytes, ending in %q", len(note), note[len(note)-6:])
	}
}

func TestTheKindIsTheObjectsOwnOrTheSchemes(t *testing.T) {
	own := metav1.TypeMeta{APIVersion: "example.com/v1", Kind: "Widget"}
	meta := metav1.ObjectMeta{Namespace: "n", Name: "w"}
	for name, c := range map[string]struct {
		about runtime.Object
		kind  string // "" if it cannot be known
	}{
		"typed":                       {&corev1.Pod{ObjectMeta: meta}, "Pod"},
		"unstructured":                {&unstructured.Unstructured{Object: map[string]any{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": "w", "namespace": "n"}}}, "Widget"},
		"metadata that says the kind": {&metav1.PartialObjectMetadata{TypeMeta: own, ObjectMeta: meta}, "Widget"},
		"a reference":                 {&corev1.ObjectReference{APIVersion: "example.com/v1", Kind: "Widget", Namespace: "n", Name: "w"}, "Widget"},
		"metadata of an informer":     {&metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadata"}, ObjectMeta: meta}, ""},
		"metadata of no kind":         {&metav1.PartialObjectMetadata{ObjectMeta: meta}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecording(t)
			r.record(c.about, "x", "x")
			found := r.events()
			if c.kind != "" {
				if len(found) != 1 || found[0].Regarding.Kind != c.kind || found[0].Regarding.Name != "w" {
					t.Errorf("%+v", found)
				}
				return
			}
			if text := r.log.String(); len(found) != 0 || strings.Count(text, "Event not written") != 1 ||
				!strings.Contains(text, "pass a *corev1.ObjectReference") {
				t.Errorf("%+v; the log is\n%s", found, text)
			}
		})
	}
}

func TestAnEventIsOneCallAndSoIsARepeat(t *testing.T) {
	r := newRecording(t)
	for i, want := range []string{"create", "patch", "patch"} {
		r.record(pod("p"), "it fell")
		if got := r.calls(); got != want {
			t.Errorf("time %d made the calls %q, want %q", i+1, got, want)
		}
	}
	r.restart() // a new process adopts the event, once
	for i, want := range []string{"create get patch", "patch", "patch"} {
		r.record(pod("p"), "it fell")
		if got := r.calls(); got != want {
			t.Errorf("time %d after a restart made the calls %q, want %q", i+1, got, want)
		}
	}
	if found := r.events(); len(found) != 1 || found[0].Series == nil || found[0].Series.Count != 6 {
		t.Errorf("the events are %+v", found)
	}
}

func TestARepeatOfAnEventThatTheServerHasDroppedIsANewEvent(t *testing.T) {
	r := newRecording(t)
	r.record(pod("p"), "it fell", "it fell", "it fell")
	if err := r.client.EventsV1().Events("n").Delete(t.Context(), r.events()[0].Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	r.calls()
	r.record(pod("p"), "it fell")
	if got := r.calls(); got != "patch create" {
		t.Errorf("the calls are %q", got)
	}
	if found := r.events(); len(found) != 1 || found[0].Series != nil {
		t.Errorf("the events are %+v", found)
	}
	r.record(pod("p"), "it fell")
	if found := r.events(); found[0].Series == nil || found[0].Series.Count != 2 {
		t.Errorf("the events are %+v", found)
	}
}

func TestEventsThatDifferInAnythingAreEventsOfTheirOwn(t *testing.T) {
	r := newRecording(t)
	r.record(pod("p"), "a", "b")
	r.record(pod("q"), "a") // same UID, as for objects that have none
	r.Eventf(r.ctx, pod("p"), pod("r"), corev1.EventTypeWarning, "Broken", "Repair", "a")
	r.Eventf(r.ctx, pod("p"), nil, corev1.EventTypeNormal, "Broken", "Repair", "a")
	r.Eventf(r.ctx, pod("p"), nil, corev1.EventTypeWarning, "Broken", "Replace", "a")
	if found := r.events(); len(found) != 6 {
		t.Errorf("%d events", len(found))
	}
}

func TestARecorderForgetsWhatIsLongAgo(t *testing.T) {
	r := newRecording(t)
	r.record(pod("first"), "x")
	r.client.PrependReactor("*", "events", func(action clienttesting.Action) (bool, runtime.Object, error) {
		object, ok := action.(clienttesting.CreateAction)
		others := ok && !strings.HasPrefix(object.GetObject().(*eventsv1.Event).Name, "first.")
		return others, &eventsv1.Event{}, nil // which is faster than to keep them all
	})
	for i := range 4096 {
		r.record(pod(fmt.Sprint("p", i)), "x")
	}
	r.client.ClearActions()
	r.record(pod("p4095"), "x")
	if got := r.calls(); got != "patch create" { // a patch first: it is remembered

		t.Errorf("the repeat of the last event made the calls %q", got)
	}
	r.record(pod("first"), "x") // is found by its name, as after a restart
	if got := r.calls(); got != "create get patch" {
		t.Errorf("the repeat of the first event made the calls %q", got)
	}
}
