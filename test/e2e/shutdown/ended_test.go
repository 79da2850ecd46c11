// SPDX-License-Identifier: Apache-2.0

package shutdown_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// wrong says what an error is not that a call returns whose context the end has ended.
func wrong(err error) string {
	switch {
	case err == nil:
		return "an error"
	case !errors.Is(err, cause.Shutdown):
		return "cause.Shutdown"
	case !errors.Is(err, errDrained):
		return "the cause of the end"
	case !errors.Is(err, context.Canceled):
		return "context.Canceled"
	}
	return ""
}

// endWhile ends a manager that runs f once ready is closed.
func (e *env) endWhile(ready <-chan struct{}, options shutdowntest.Options, f func(ctx context.Context, client kubernetes.Interface)) {
	e.Helper()
	run := shutdowntest.Start(e, e.proxy, func(m *controller.Manager) error {
		client := kubernetes.NewForConfigOrDie(m.Config())
		m.AddRunnable("r", func(ctx context.Context) error { f(ctx, client); return nil })
		return nil
	}, options)
	<-ready
	if err := run.End(errDrained); err != nil {
		e.Error(err)
	}
	run.AssertPromise(shutdowntest.Expect{Cancelled: shutdowntest.NoneCancelled})
}

// TestC2ACallOnAContextThatHasEndedHasItsCauseAndIsNotSent makes each kind of call after the end.
func TestC2ACallOnAContextThatHasEndedHasItsCauseAndIsNotSent(t *testing.T) {
	e := newEnv(t, 1)
	errs := map[string]error{}
	ready := make(chan struct{})
	e.endWhile(ready, shutdowntest.Options{}, func(ctx context.Context, client kubernetes.Interface) {
		close(ready)
		<-ctx.Done()
		maps := client.CoreV1().ConfigMaps(e.namespace)
		_, errs["get"] = maps.Get(ctx, "cm-000", metav1.GetOptions{})
		_, errs["list"] = maps.List(ctx, metav1.ListOptions{})
		_, errs["create"] = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "new"}}, metav1.CreateOptions{})
		_, errs["patch"] = maps.Patch(ctx, "cm-000", types.MergePatchType, []byte("{}"), metav1.PatchOptions{})
		errs["delete"] = maps.Delete(ctx, "cm-000", metav1.DeleteOptions{})
		_, errs["stream"] = client.CoreV1().Pods(e.namespace).GetLogs("pod", &corev1.PodLogOptions{}).Stream(ctx)
		_, errs["watch"] = maps.Watch(ctx, metav1.ListOptions{})
	})
	for verb, err := range errs {
		// client-go looks at a watch's context before anything of ours is asked, and returns ctx.Err().
		if verb == "watch" {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("watch returned %v", err)
			}
			t.Logf("watch returned %v, which is not %q", err, wrong(err))
			continue
		}
		if missing := wrong(err); missing != "" {
			t.Errorf("%s returned %v, which is not %s", verb, err, missing)
		}
	}
	if sent := e.proxy.Requests(); len(sent) > 0 {
		t.Errorf("%v was sent", sent)
	}
}

// TestC2TheTurnAtTheRateLimiterMayComeWithTheEnd ends the context in the instant in which the limiter
// lets the call go.
func TestC2TheTurnAtTheRateLimiterMayComeWithTheEnd(t *testing.T) {
	e := newEnv(t, 1)
	var err error
	turn := make(chan struct{})
	options := shutdowntest.Options{Config: func(c *rest.Config) { c.RateLimiter = lateTurn{flowcontrol.NewFakeAlwaysRateLimiter(), turn} }}
	e.endWhile(turn, options, func(ctx context.Context, client kubernetes.Interface) {
		_, err = client.CoreV1().ConfigMaps(e.namespace).Get(ctx, "cm-000", metav1.GetOptions{})
	})
	if missing := wrong(err); missing != "" {
		t.Errorf("the call returned %v, which is not %s", err, missing)
	}
}

// lateTurn lets a call go when its context ends.
type lateTurn struct {
	flowcontrol.RateLimiter
	waits chan struct{}
}

func (l lateTurn) Wait(ctx context.Context) error {
	close(l.waits)
	<-ctx.Done()
	return nil
}

// TestC2AnAnswerThatAsksToRetryMayComeWithTheEnd has the answer 429 arrive in the instant of the end.
func TestC2AnAnswerThatAsksToRetryMayComeWithTheEnd(t *testing.T) {
	e := newEnv(t, 1)
	e.proxy.Add(gets, shutdowntest.Answer(http.StatusTooManyRequests, time.Hour))
	var err error
	answered := make(chan struct{})
	options := shutdowntest.Options{Config: func(c *rest.Config) {
		c.Wrap(func(next http.RoundTripper) http.RoundTripper { return &lateAnswer{next, answered} })
	}}
	e.endWhile(answered, options, func(ctx context.Context, client kubernetes.Interface) {
		_, err = client.CoreV1().ConfigMaps(e.namespace).Get(ctx, "cm-000", metav1.GetOptions{})
	})
	if missing := wrong(err); missing != "" {
		t.Errorf("the call returned %v, which is not %s", err, missing)
	}
}

// lateAnswer hands answers out when their context ends.
type lateAnswer struct {
	http.RoundTripper
	answered chan struct{}
}

func (l *lateAnswer) WrappedRoundTripper() http.RoundTripper { return l.RoundTripper }

func (l *lateAnswer) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(req)
	close(l.answered)
	<-req.Context().Done()
	return resp, err
}

// TestC2AWatchEndsAndItsContextSaysWhy has a watch of the user's ended while it waits for an event.
// client-go makes an event of the read error: it keeps the text, but not the error.
func TestC2AWatchEndsAndItsContextSaysWhy(t *testing.T) {
	e := newEnv(t, 1)
	watching := e.proxy.Add(shutdowntest.Match{Verb: "watch"}, shutdowntest.Pass())
	var events []watch.Event
	var why error
	run := shutdowntest.Start(t, e.proxy, func(m *controller.Manager) error {
		client := kubernetes.NewForConfigOrDie(m.Config())
		m.AddRunnable("watcher", func(ctx context.Context) error {
			w, err := client.CoreV1().Secrets(e.namespace).Watch(ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			defer w.Stop()
			for event := range w.ResultChan() {
				events = append(events, event)
			}
			why = context.Cause(ctx)
			return why
		})
		return nil
	}, shutdowntest.Options{})
	watching.Await(1)
	eventually(t, "the watch is answered", func() bool { return goroutinesIn("watch.(*StreamWatcher).receive(") > 0 })
	if err := run.End(errDrained); err != nil {
		t.Error(err)
	}
	run.AssertPromise(shutdowntest.Expect{Cancelled: shutdowntest.NoneCancelled})
	if missing := wrong(why); missing != "" {
		t.Errorf("the watch's context ended with %v, which is not %s", why, missing)
	}
	for _, event := range events {
		t.Logf("the watch's last words were %s: %v", event.Type, apierrors.FromObject(event.Object))
	}
}
