// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// slow is an API server that answers after three seconds, whose answer takes two seconds to be read, and which
// cuts off deletes.
func slow(req *http.Request) (*http.Response, error) {
	time.Sleep(3 * time.Second)
	if req.Method == http.MethodDelete {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(&slowly{Reader: strings.NewReader(slowAnswer)}),
	}, nil
}

const slowAnswer = `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"7"}}`

// slowly is an answer whose last byte comes late.
type slowly struct{ *strings.Reader }

func (s *slowly) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.Len() == 0 && n > 0 {
		time.Sleep(2 * time.Second)
	}
	return n, err
}

// TestC20AnAccountHasBytesAndTimesAndIsInTheLogAndTheSpan.
func TestC20AnAccountHasBytesAndTimesAndIsInTheLogAndTheSpan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		recorder := tracetest.NewSpanRecorder()
		w := newWorld(t)
		w.add("a")
		config := &rest.Config{Host: "http://unused.invalid", QPS: 0.1, Burst: 1, Transport: apiServer(slow)}
		m := managerOf(config, controller.ManagerOptions{Telemetry: controller.Telemetry{
			TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)),
		}})
		maps := kubernetes.NewForConfigOrDie(m.Config()).CoreV1().ConfigMaps("n")
		var account, during report.Account
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			object := configMap("a")
			object.ResourceVersion = "7"
			_, err := maps.Update(ctx, object, metav1.UpdateOptions{}) // the API server says the same version
			during, _ = controller.AccountFrom(ctx)
			_, again := maps.Get(ctx, "a", metav1.GetOptions{}) // waits for the limiter for ten seconds, less five
			cut := maps.Delete(ctx, "a", metav1.DeleteOptions{})
			if err != nil || again != nil || !errors.Is(cut, io.ErrUnexpectedEOF) {
				t.Errorf("%v, %v, %v", err, again, cut)
			}
			account, _ = controller.AccountFrom(ctx)
			return controller.Result{}, nil
		}, controller.Options{AllowStaleReads: true})
		r := start(t, t.Context(), m)
		time.Sleep(time.Minute)
		synctest.Wait()

		const answer = int64(len(slowAnswer))
		if total := during.Total(); total.Attempts != 1 || total.Received != answer || total.Sent == 0 ||
			total.OnWire != 5*time.Second || total.WithoutEffect != 1 || during.Throttled != 0 {
			t.Errorf("after the update: %+v", during)
		}
		total := account.Total()
		if total.Attempts != 3 || total.Received != 2*answer || total.OnWire != 13*time.Second ||
			total.WithoutEffect != 1 || total.Unknown != 1 || total.Changed != 0 {
			t.Errorf("%+v", account)
		}
		if account.Throttled.Round(time.Millisecond) != 10*time.Second { // the limiter reckons with floating point
			t.Errorf("throttled for %v", account.Throttled)
		}
		const told = "1 × update configmaps (1 without effect, "
		if log := r.log.String(); !strings.Contains(log, told) || !strings.Contains(log, "throttled for 10s") {
			t.Errorf("no account in the log:\n%s", log)
		}
		for _, span := range recorder.Ended() {
			if !strings.HasPrefix(span.Name(), semconv.SpanReconcile+" ") {
				continue
			}
			found := map[string]any{}
			for _, a := range span.Attributes() {
				found[string(a.Key)] = a.Value.AsInterface()
			}
			if found[semconv.AttrOnWire] != 13. || found[semconv.AttrThrottled] != account.Throttled.Seconds() ||
				found[semconv.AttrWithoutEffect] != int64(1) || found[semconv.AttrReceived] != 2*answer ||
				found[semconv.AttrSent] != total.Sent {
				t.Errorf("the span has %v", found)
			}
		}
	})
}

// TestAccountFromOutsideAReconcile says so.
func TestAccountFromOutsideAReconcile(t *testing.T) {
	if account, ok := controller.AccountFrom(t.Context()); ok || account.String() != "no calls" {
		t.Errorf("%v, %t", account, ok)
	}
}

// TestWorkFromNamesWhoCalls has the transport ask, below the manager's client.
func TestWorkFromNamesWhoCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		var below, inside report.Work
		var known bool
		config := &rest.Config{Host: "http://unused.invalid", Transport: apiServer(func(req *http.Request) (*http.Response, error) {
			below, known = controller.WorkFrom(req.Context())
			return slow(req)
		})}
		m := managerOf(config, controller.ManagerOptions{})
		maps := kubernetes.NewForConfigOrDie(m.Config()).CoreV1().ConfigMaps("n")
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			time.Sleep(time.Second)
			inside, _ = controller.WorkFrom(ctx)
			_, err := maps.Get(ctx, "a", metav1.GetOptions{})
			return controller.Result{}, err
		}, controller.Options{})
		start(t, t.Context(), m)
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, work := range []report.Work{below, inside} {
			if !known || work.Kind != report.Item || work.Owner != "c" || work.Item != (controller.Request{Namespace: "default", Name: "a"}) ||
				work.Age != time.Second {
				t.Errorf("%t, %+v", known, work)
			}
		}
		if work, ok := controller.WorkFrom(t.Context()); ok {
			t.Errorf("outside: %v", work)
		}
	})
}
