// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/lanyard-k8s/lanyard/controller/events"
)

func TestAnObjectHas25EventsAtOnceAndThenOneInFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecording(t)
		repeat := func(n int, want int) {
			t.Helper()
			for range n {
				r.record(pod("p"), "it fell")
			}
			if got := len(strings.Fields(r.calls())); got != want {
				t.Errorf("%d events made %d calls, want %d", n, got, want)
			}
		}
		repeat(100, 25)
		time.Sleep(5*time.Minute - time.Second)
		repeat(10, 0)
		time.Sleep(time.Second + time.Millisecond)
		repeat(10, 1)
		// The count has those that were not written.
		if found := r.events(); found[0].Series.Count != 111 {
			t.Errorf("the count is %d, want 111", found[0].Series.Count)
		}
		// Others are not held up by that.
		r.record(pod("q"), "it fell")
		r.Eventf(r.ctx, pod("p"), nil, corev1.EventTypeNormal, "Mended", "Repair", "it stands")
		if got := r.calls(); got != "create create" {
			t.Errorf("another object and another type made the calls %q", got)
		}
	})
}

func TestEventsThatDifferOnlyInTheirNoteAreCombinedFromTheTenthOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecording(t)
		for i := range 20 {
			r.record(pod("p"), fmt.Sprintf("fault %d", i))
		}
		found := r.events()
		if len(found) != 10 {
			t.Fatalf("%d events, want 10", len(found))
		}
		combined := 0
		for _, event := range found {
			if event.Note == "(combined from similar events): fault 9" && event.Series != nil && event.Series.Count == 11 {
				combined++
			}
		}
		if combined != 1 {
			t.Errorf("the events are %+v", found)
		}
		time.Sleep(10*time.Minute + time.Second)
		r.record(pod("p"), "fault 20")
		if got := len(r.events()); got != 11 {
			t.Errorf("%d events ten minutes later, want 11", got)
		}
	})
}

// failing makes creations fail while it returns an error.
func (r *recording) failing(fail func() error) {
	r.client.PrependReactor("create", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
		err := fail()
		return err != nil, nil, err
	})
}

func TestAnErrorIsToldOnceAndAgainAfterAnEventWasWritten(t *testing.T) {
	r := newRecording(t)
	forbidden := apierrors.NewForbidden(schema.GroupResource{Group: "events.k8s.io", Resource: "events"}, "", errors.New("no rule"))
	var err error
	r.failing(func() error { return err })
	lines := func(want int, when string) {
		t.Helper()
		if got := strings.Count(r.log.String(), "Event not written"); got != want {
			t.Errorf("%d lines %s, want %d:\n%s", got, when, want, r.log.String())
		}
	}
	err = forbidden
	r.record(pod("p"), "a", "a", "b", "c")
	r.record(pod("q"), "a")
	lines(1, "after five failures")
	err = apierrors.NewInternalError(errors.New("etcd is gone"))
	r.record(pod("p"), "a", "b")
	lines(2, "after another error")
	err = nil
	r.record(pod("p"), "d")
	lines(2, "after a success")
	err = apierrors.NewInternalError(errors.New("etcd is gone"))
	r.record(pod("p"), "e", "f")
	lines(3, "after the same error again")
	if found := r.events(); len(found) != 1 {
		t.Errorf("the events are %+v", found)
	}
}

func TestAFailureThatIsExpectedIsNoError(t *testing.T) {
	terminating := &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}},
	}}
	for name, err := range map[string]error{
		"the namespace is being deleted": terminating,
		"the namespace is gone":          apierrors.NewNotFound(corev1.Resource("namespaces"), "n"),
		"the item was cancelled":         context.Canceled,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecording(t)
			r.failing(func() error { return err })
			if errors.Is(err, context.Canceled) {
				ctx, cancel := context.WithCancel(r.ctx)
				cancel()
				r.ctx = ctx
			}
			r.record(pod("p"), "a", "b")
			if text := r.log.String(); text != "" {
				t.Errorf("the log is\n%s", text)
			}
		})
	}
}

func TestACallThatHangsEndsWithItsContext(t *testing.T) {
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body) // then the server notices that the client is gone
		close(asked)
		<-req.Context().Done()
	}))
	defer server.Close()
	r := newRecording(t)
	client := kubernetes.NewForConfigOrDie(&rest.Config{Host: server.URL})
	recorder := events.NewRecorder(client.EventsV1(), scheme.Scheme, "example.com/c", "pod-1")
	ctx, cancel := context.WithCancel(r.ctx)
	go func() {
		<-asked
		cancel()
	}()
	recorder.Eventf(ctx, pod("p"), nil, corev1.EventTypeNormal, "Hung", "Wait", "no answer")
	if ctx.Err() == nil || r.log.String() != "" {
		t.Errorf("it returned before its context ended, or logged\n%s", r.log.String())
	}
}
