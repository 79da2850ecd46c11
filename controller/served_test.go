// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// discovery is an API server that answers whether ConfigMaps are served, with a status.
type discovery struct{ status atomic.Int32 }

func (d *discovery) RoundTrip(req *http.Request) (*http.Response, error) {
	body := `{"kind":"Status","apiVersion":"v1","status":"Failure","code":404,"reason":"NotFound"}`
	switch d.status.Load() {
	case http.StatusOK:
		body = `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"v1","resources":[{"name":"configmaps","kind":"ConfigMap","namespaced":true,"verbs":["list"]}]}`
	case http.StatusInternalServerError:
		body = `{"kind":"Status","apiVersion":"v1","status":"Failure","code":500,"reason":"InternalError"}`
	}
	return &http.Response{
		StatusCode: int(d.status.Load()), Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// TestC29AControllerWaitsForItsKindAndStopsWhenItGoes, and the others do not notice.
func TestC29AControllerWaitsForItsKindAndStopsWhenItGoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api := &discovery{}
		api.status.Store(http.StatusNotFound)
		m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: api}, controller.ManagerOptions{})
		others := newWorld(t)
		others.add("a")
		other := controller.New(m, "other", others.informer(), nothing, controller.Options{})
		w := newWorld(t)
		w.add("a")
		var works []*worker
		m.WhileServed(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, func() []controller.Stopper {
			work := &worker{takes: time.Hour}
			works = append(works, work)
			return []controller.Stopper{controller.New(m, "waits", w.informer(), work.reconcile, controller.Options{Timeout: 2 * time.Hour})}
		})
		r := start(t, t.Context(), m)
		after := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		after(time.Minute)
		if len(works) != 0 || other.Stats().Done != 1 || m.Ready() != nil {
			t.Fatalf("it works %d times; the other has %+v, %v", len(works), other.Stats(), m.Ready())
		}
		api.status.Store(http.StatusOK)
		after(6 * time.Second)
		if len(works) != 1 || works[0].started.Load() != 1 || m.Ready() != nil {
			t.Fatalf("it works %d times, %v", len(works), m.Ready())
		}
		api.status.Store(http.StatusInternalServerError) // that says nothing
		after(time.Minute)
		if err := works[0].ended(); err != nil || strings.Count(r.log.String(), "Cannot tell whether a resource is served") != 1 {
			t.Fatalf("it ended because of %v\n%s", err, r.log)
		}
		api.status.Store(http.StatusNotFound)
		after(time.Minute)
		if err := works[0].ended(); !errors.Is(err, cause.Stopped) || m.Ready() != nil {
			t.Fatalf("it ended because of %v, %v", err, m.Ready())
		}
		api.status.Store(http.StatusOK)
		after(time.Minute)
		if len(works) != 2 || works[1].started.Load() != 1 {
			t.Fatalf("it works %d times", len(works))
		}
		if err := r.end(nil); err != nil || !errors.Is(works[1].ended(), context.Canceled) {
			t.Errorf("Run returned %v, it ended because of %v", err, works[1].ended())
		}
	})
}

// TestC29AWaitForAKindThatIsStoppedStopsWhatItHasStarted, and nothing else.
func TestC29AWaitForAKindThatIsStoppedStopsWhatItHasStarted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api := &discovery{}
		api.status.Store(http.StatusOK)
		m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: api}, controller.ManagerOptions{})
		w := newWorld(t)
		w.add("a")
		work := &worker{takes: time.Hour}
		waits := m.WhileServed(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, func() []controller.Stopper {
			return []controller.Stopper{controller.New(m, "waits", w.informer(), work.reconcile, controller.Options{Timeout: 2 * time.Hour})}
		})
		r := start(t, t.Context(), m)
		time.Sleep(time.Minute)
		synctest.Wait()
		if work.started.Load() != 1 {
			t.Fatalf("it works %d times", work.started.Load())
		}
		waits.Stop()
		synctest.Wait()
		select {
		case <-waits.Stopped():
		default:
			t.Error("it waits still")
		}
		if err := work.ended(); !errors.Is(err, cause.Stopped) {
			t.Errorf("the reconcile ended because of %v", err)
		}
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
	})
}

// TestADryRunThatCannotTellWhatIsServedSaysSo in its plan.
func TestADryRunThatCannotTellWhatIsServedSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api := &discovery{}
		api.status.Store(http.StatusInternalServerError)
		m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: api}, controller.ManagerOptions{DryRun: &controller.DryRun{}})
		for _, resource := range []string{"configmaps", "secrets"} {
			m.WhileServed(schema.GroupVersionResource{Version: "v1", Resource: resource}, func() []controller.Stopper { return nil })
		}
		made, err := m.Plan(t.Context())
		if err != nil || !made.Failed() || len(made.Failures) != 2 || made.Failures[0].Err == nil {
			t.Errorf("the plan is %+v, %v", made, err)
		}
	})
}
