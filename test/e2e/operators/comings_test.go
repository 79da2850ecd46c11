// SPDX-License-Identifier: Apache-2.0

package operators_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

func contextOf(e *env) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.Context()))
	return ctx, cancel
}

// eventually waits for a condition.
func (e *env) eventually(what string, is func() bool) {
	e.Helper()
	deadline := time.After(time.Minute)
	for !is() {
		select {
		case <-deadline:
			e.Fatalf("%s: not within a minute", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestC28AReconcilerReadsNodesThatNobodyAdded by the lister of a factory.
func TestC28AReconcilerReadsNodesThatNobodyAdded(t *testing.T) {
	e := newEnv(t)
	e.addConfigMap(e.namespace, "a")
	node, err := e.admin.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: e.namespace}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m := controller.NewManager(unlimited(plane.Config()), controller.ManagerOptions{})
	factory := controller.AddFactory(m, informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(m.Config()), 0))
	nodes := factory.Core().V1().Nodes().Lister()
	var wrong atomic.Int64
	c := controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
		if _, err := nodes.Get(node.Name); err != nil {
			wrong.Add(1)
		}
		return controller.Result{}, nil
	}, controller.Options{})
	r := e.run(m)
	e.eventually("reconciled", func() bool { return c.Stats().Done > 0 })
	r.end()
	if wrong.Load() > 0 {
		t.Errorf("%d of %d reconciles did not find the node", wrong.Load(), c.Stats().Done)
	}
}

// TestC29AThousandKindsThatComeAndGoLeaveNothing behind in a running manager: each is a controller
// with an informer of its own.
func TestC29AThousandKindsThatComeAndGoLeaveNothing(t *testing.T) {
	e := newEnv(t)
	e.addConfigMap(e.namespace, "a")
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	m := controller.NewManager(unlimited(plane.Config()), controller.ManagerOptions{
		Telemetry: controller.Telemetry{MeterProvider: provider},
	})
	client := kubernetes.NewForConfigOrDie(m.Config())
	r := e.run(m)
	comeAndGo := func(i int) {
		informer := coreinformers.NewFilteredConfigMapInformer(client, e.namespace, 0, cache.Indexers{},
			func(o *metav1.ListOptions) { o.LabelSelector = labels.Set{}.String() })
		c := controller.New(m, fmt.Sprint("kind ", i), controller.Standalone[*corev1.ConfigMap](informer, controller.InformerOptions{}),
			func(context.Context, *corev1.ConfigMap) (controller.Result, error) { return controller.Result{}, nil },
			controller.Options{MetricsName: "kinds"})
		e.eventually("reconciled", func() bool { return c.Stats().Done > 0 })
		c.Stop()
		<-c.Stopped()
	}
	var before, after state
	for i := range 1000 {
		if i == 100 { // what is made once is there
			before = e.stateOf(reader)
		}
		comeAndGo(i)
	}
	e.eventually("goroutines have ended", func() bool {
		after = e.stateOf(reader)
		return after.goroutines <= before.goroutines+5
	})
	// A label may get a value that it had not before, such as the status of an answer; but none is a
	// kind's own.
	if after.series > before.series+10 || after.heap > before.heap+before.heap/2 {
		t.Errorf("before: %+v, after: %+v", before, after)
	}
	t.Logf("before: %+v, after: %+v", before, after)
	r.end()
}

type state struct {
	goroutines, series int
	heap               uint64
}

func (e *env) stateOf(reader metric.Reader) state {
	e.Helper()
	var s state
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(e.Context(), &collected); err != nil {
		e.Fatal(err)
	}
	for _, scope := range collected.ScopeMetrics {
		for _, one := range scope.Metrics {
			switch data := one.Data.(type) {
			case metricdata.Histogram[float64]:
				s.series += len(data.DataPoints)
			case metricdata.Gauge[int64]:
				s.series += len(data.DataPoints)
			case metricdata.Gauge[float64]:
				s.series += len(data.DataPoints)
			case metricdata.Sum[int64]:
				s.series += len(data.DataPoints)
			}
		}
	}
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	s.heap = memory.HeapAlloc
	s.goroutines = runtime.NumGoroutine()
	return s
}
