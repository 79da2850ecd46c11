// SPDX-License-Identifier: Apache-2.0

package flunder_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/clientset/versioned/scheme"
	"github.com/lanyard-k8s/lanyard/controller/events"
)

// TestTheSameEventAgainCountsUpTheFirst records as the controller's own account, so the permissions of
// config/rbac are enough for it.
func TestTheSameEventAgainCountsUpTheFirst(t *testing.T) {
	e := newEnv(t)
	f := e.create("a", "")
	client := kubernetes.NewForConfigOrDie(e.account())
	record := func(note string) {
		recorder := events.NewRecorder(client.EventsV1(), scheme.Scheme, "wardle.example.com/flunder-controller", "test")
		recorder.Eventf(quiet(t.Context()), f, corev1.EventTypeWarning, "Odd", "Look", "%s", note)
	}
	list := func() []eventsv1.Event {
		t.Helper()
		events, err := e.kube.EventsV1().Events(e.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return events.Items
	}
	for range 3 { // each time by a recorder that remembers nothing, as after a restart
		record("something is odd")
	}
	if got := list(); len(got) != 1 || got[0].Series == nil || got[0].Series.Count != 3 || got[0].Regarding.Kind != "Flunder" || got[0].Regarding.UID != f.UID {
		t.Errorf("the events are %+v", got)
	}
	record("something else is odd")
	record(strings.Repeat("long ", 1000))
	if got := list(); len(got) != 3 {
		t.Errorf("%d events, want 3", len(got))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	recorder := events.NewRecorder(client.EventsV1(), scheme.Scheme, "wardle.example.com/flunder-controller", "test")
	recorder.Eventf(quiet(ended), f, corev1.EventTypeNormal, "Late", "Look", "not sent")
	if got := list(); len(got) != 3 {
		t.Errorf("%d events after one on a context that has ended", len(got))
	}
}
