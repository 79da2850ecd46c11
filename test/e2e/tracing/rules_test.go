// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
	"github.com/lanyard-k8s/lanyard/controller/tracing/sampling"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
	"github.com/lanyard-k8s/lanyard/test/e2e/tracing/collector"
)

func (e *env) stamping() controller.ManagerOptions {
	o := e.telemetry()
	o.Telemetry.WriteAnnotation = true
	return o
}

func TestAnAnnotatedChildIsNotWrittenAgainByThreeStarts(t *testing.T) {
	e := newEnv(t)
	r := e.flunders(e.account(), e.stamping())
	e.create("one")
	e.awaitReason("one", v1beta1.ReasonRollingOut)
	call := collected.Await(t, 1, applyDeployment, e.call(applyDeployment))[0]
	e.must(r.stop())
	d, err := e.kube.AppsV1().Deployments(e.namespace).Get(t.Context(), "one", metav1.GetOptions{})
	e.must(err)
	if stamp := d.Annotations[tracing.AnnotationKey]; stamp != fmt.Sprintf("00-%s-%s-01", call.Trace(), call.Parent()) {
		t.Errorf("the Deployment carries %q, and was applied by %s of %s", stamp, call.Parent(), call.Trace())
	}
	if len(d.Spec.Template.Annotations) > 0 {
		t.Errorf("its pods carry %v", d.Spec.Template.Annotations)
	}
	for range 3 {
		done := len(collected.Spans(e.reconciles("one")))
		r := e.flunders(e.account(), e.stamping())
		collected.Await(t, done+1, "a reconcile of the next process", e.reconciles("one"))
		e.must(r.stop())
	}
	if calls := collected.Spans(e.call(applyDeployment)); len(calls) != 1 {
		t.Errorf("the Deployment was applied %d times", len(calls))
	}
	again, err := e.kube.AppsV1().Deployments(e.namespace).Get(t.Context(), "one", metav1.GetOptions{})
	e.must(err)
	if again.ResourceVersion != d.ResourceVersion {
		t.Errorf("the Deployment has gone from resourceVersion %s to %s", d.ResourceVersion, again.ResourceVersion)
	}
}

func TestAnAnnotatedChildIsNotChangedByAnApplyAtEachOfThreeResyncs(t *testing.T) {
	e := newEnv(t)
	var kube kubernetes.Interface
	const manager = "parent"
	e.run(quiet(t.Context()), unlimited(plane.Config()), e.stamping(), func(m *controller.Manager) error {
		kube = kubernetes.NewForConfigOrDie(m.Config())
		maps := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(kube, time.Second, informers.WithNamespace(e.namespace),
			informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = "role" }))).Core().V1().ConfigMaps()
		m.AddInformer(maps.TypedInformer(), controller.InformerOptions{})
		controller.New(m, "parent", maps.TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cm.Labels["role"] != "parent" {
				return controller.Result{}, nil
			}
			child, err := maps.Lister().ConfigMaps(e.namespace).Get("child")
			if err != nil {
				child = nil
			}
			desired := corev1ac.ConfigMap("child", e.namespace).WithLabels(map[string]string{"role": "child"}).WithData(cm.Data)
			_, err = kube.CoreV1().ConfigMaps(e.namespace).Apply(ctx, tracing.Inject(ctx, desired, child), metav1.ApplyOptions{FieldManager: manager, Force: true})
			return controller.Result{}, err
		}, controller.Options{})
		return nil
	})
	_, err := e.kube.CoreV1().ConfigMaps(e.namespace).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "parent", Labels: map[string]string{"role": "parent"}}, Data: map[string]string{"a": "1"}}, metav1.CreateOptions{})
	e.must(err)
	var child *corev1.ConfigMap
	e.eventually("the child is there, with a trace", func() error {
		child, err = e.kube.CoreV1().ConfigMaps(e.namespace).Get(t.Context(), "child", metav1.GetOptions{})
		if err == nil && child.Annotations[tracing.AnnotationKey] == "" {
			err = errors.New("it carries none")
		}
		return err
	})
	since := time.Now()
	collected.Await(t, 3, "three resyncs", func(span *collector.Span) bool {
		return e.reconciles("parent")(span) && span.Value(semconv.AttrReason) == string(reconcile.Resync) && span.Begin().After(since) && span.Value(semconv.AttrWrites) == "1"
	})
	again, err := e.kube.CoreV1().ConfigMaps(e.namespace).Get(t.Context(), "child", metav1.GetOptions{})
	e.must(err)
	if again.ResourceVersion != child.ResourceVersion {
		t.Errorf("the child has gone from resourceVersion %s to %s, and carries %s after %s", child.ResourceVersion, again.ResourceVersion,
			again.Annotations[tracing.AnnotationKey], child.Annotations[tracing.AnnotationKey])
	}
}

// strangers is the trace of somebody else.
const strangers = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestAnEditOfTheAnnotationAloneIsNotEnqueuedAndItsTraceIsLinkedByTheNextChange(t *testing.T) {
	e := newEnv(t)
	e.flunders(e.account(), e.telemetry())
	e.create("one")
	e.awaitReason("one", v1beta1.ReasonRollingOut)
	// Whatever its own writes lead to is over when this one has been answered.
	others := 0
	settled := func() int {
		e.Helper()
		others++
		after := fmt.Sprintf("after-%d", others)
		e.create(after)
		e.awaitReason(after, v1beta1.ReasonRollingOut)
		collected.Await(t, 1, "another object's reconcile", e.reconciles(after))
		return len(collected.Spans(e.reconciles("one")))
	}
	n := settled()
	for m := settled(); m != n; m = settled() {
		n = m
	}
	flunders, deployments := e.wardle.WardleV1beta1().Flunders(e.namespace), e.kube.AppsV1().Deployments(e.namespace)
	_, err := flunders.Patch(t.Context(), "one", types.MergePatchType, annotation(strangers), metav1.PatchOptions{})
	e.must(err)
	_, err = deployments.Patch(t.Context(), "one", types.MergePatchType, annotation(strangers), metav1.PatchOptions{})
	e.must(err)
	if m := settled(); m != n {
		t.Errorf("an edit of the annotation alone led to %d reconciles", m-n)
	}
	_, err = flunders.Patch(t.Context(), "one", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{})
	e.must(err)
	spans := collected.Await(t, n+1, "the reconcile of a label", e.reconciles("one"))
	if m := settled(); m != n+1 {
		t.Errorf("an edit of a label led to %d reconciles", m-n)
	}
	last := spans[n]
	if len(last.Links) != 1 || fmt.Sprintf("00-%x-%x-01", last.Links[0].TraceId, last.Links[0].SpanId) != strangers || last.Value(semconv.AttrReason) != string(reconcile.ObjectChanged) || last.Value(semconv.AttrTriggers) != "1" {
		t.Errorf("its links are %v, its reason is %q, of %s triggers", last.Links, last.Value(semconv.AttrReason), last.Value(semconv.AttrTriggers))
	}
}

func annotation(value string) []byte {
	return fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, tracing.AnnotationKey, value)
}

func TestAHostileAnnotationOnAThousandObjectsCostsNoMoreThanTheBudget(t *testing.T) {
	const objects = 1000
	e := newEnv(t)
	for i := range objects {
		_, err := e.kube.CoreV1().ConfigMaps(e.namespace).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("cm-%d", i), Annotations: map[string]string{tracing.AnnotationKey: fmt.Sprintf("00-%032x-%016x-01", i+1, i+1)},
		}}, metav1.CreateOptions{})
		e.must(err)
	}
	o := e.telemetry()
	o.Telemetry.TracerProvider = e.provider(sampling.Sampler(0, sampling.Budget{}))
	reconciled := make(chan struct{}, 2*objects)
	began := time.Now()
	r := e.run(quiet(t.Context()), unlimited(plane.Config()), o, func(m *controller.Manager) error {
		kube := kubernetes.NewForConfigOrDie(m.Config())
		maps := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithNamespace(e.namespace))).Core().V1().ConfigMaps()
		controller.New(m, "maps", maps.TypedInformer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			reconciled <- struct{}{}
			return controller.Result{}, nil
		}, controller.Options{Workers: 8})
		return nil
	})
	for range objects {
		<-reconciled
	}
	most := 11 + int(time.Since(began).Seconds())
	e.must(r.stop()) // which flushes
	got := len(collected.Spans(e.reconciles("")))
	if got == 0 || got > most {
		t.Errorf("of %d reconciles %d were sent, want some and at most %d", objects, got, most)
	}
	t.Logf("of %d reconciles %d were sent", objects, got)
}

func TestWatchesAndLeasesMakeNoSpan(t *testing.T) {
	e := newEnv(t)
	o := e.telemetry()
	o.LeaderElection = &controller.LeaderElection{Namespace: "lanyard-system", Name: "sample-controller", Identity: e.namespace,
		LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond}
	r := e.flunders(e.account(), o)
	e.create("one")
	collected.Await(t, 1, applyDeployment, e.call(applyDeployment))
	renewed := func() (n int) {
		l, err := e.kube.CoordinationV1().Leases("lanyard-system").Get(t.Context(), "sample-controller", metav1.GetOptions{})
		e.must(err)
		return int(l.Spec.RenewTime.UnixMilli())
	}
	first := renewed()
	e.eventually("the lease was renewed", func() error {
		if renewed() <= first+1000 {
			return errors.New("not yet")
		}
		return nil
	})
	e.must(r.stop())
	for _, span := range collected.Spans(e.mine) {
		switch {
		case strings.HasPrefix(span.Name, "reconcile "), span.Name == semconv.SpanThrottle, span.Name == applyDeployment, span.Name == applyStatus,
			span.Name == semconv.SpanTermBegin, span.Name == semconv.SpanTermEnd, strings.HasPrefix(span.Name, "POST /apis/events.k8s.io/"):
		default:
			t.Errorf("there is a span %q", span.Name)
		}
	}
	begun := collected.Spans(e.call(semconv.SpanTermBegin))
	ended := collected.Spans(e.call(semconv.SpanTermEnd))
	if len(begun) != 1 || len(ended) != 1 || !ended[0].LinksTo(begun[0]) {
		t.Errorf("the term has the spans %v and %v", begun, ended)
	}
}

func TestAWatchOrALeaseOfAReconcilesOwnMakesNoSpan(t *testing.T) {
	e := newEnv(t)
	e.run(quiet(t.Context()), unlimited(plane.Config()), e.telemetry(), func(m *controller.Manager) error {
		kube := kubernetes.NewForConfigOrDie(m.Config())
		maps := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithNamespace(e.namespace))).Core().V1().ConfigMaps()
		controller.New(m, "maps", maps.TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			w, err := kube.CoreV1().ConfigMaps(e.namespace).Watch(ctx, metav1.ListOptions{})
			if err != nil {
				return controller.Result{}, err
			}
			w.Stop()
			if _, err := kube.CoordinationV1().Leases(e.namespace).List(ctx, metav1.ListOptions{}); err != nil {
				return controller.Result{}, err
			}
			_, err = kube.CoreV1().ConfigMaps(e.namespace).Get(ctx, cm.Name, metav1.GetOptions{})
			return controller.Result{}, err
		}, controller.Options{})
		return nil
	})
	_, err := e.kube.CoreV1().ConfigMaps(e.namespace).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "one"}}, metav1.CreateOptions{})
	e.must(err)
	reconcile := collected.Await(t, 1, "the reconcile", e.reconciles("one"))[0]
	below := collected.Spans(func(span *collector.Span) bool { return e.mine(span) && span.Parent() == reconcile.ID() })
	if len(below) != 1 || below[0].Name != "GET /api/v1/namespaces/{namespace}/configmaps/{name}" {
		t.Errorf("below the reconcile there are %v", below)
	}
}

func TestTwoManagersWithProvidersOfTheirOwnDoNotSeeEachOther(t *testing.T) {
	one, other := newEnv(t), newEnv(t)
	one.flunders(one.account(), one.telemetry())
	other.flunders(other.account(), other.telemetry())
	off := newEnv(t)
	off.flunders(off.account(), controller.ManagerOptions{})
	for _, e := range []*env{one, other, off} {
		e.create("of-" + e.namespace)
		e.awaitReason("of-"+e.namespace, v1beta1.ReasonRollingOut)
	}
	for _, e := range []*env{one, other} {
		collected.Await(t, 1, applyStatus, e.call(applyStatus))
		for _, span := range collected.Spans(e.mine) {
			if namespace := span.Value(semconv.AttrNamespace); namespace != e.namespace {
				t.Errorf("%s sent the span %q about %q", e.service, span.Name, namespace)
			}
		}
	}
	if spans := collected.Spans(func(span *collector.Span) bool {
		return span.Service != apiserver && span.Service != "etcd" && span.Value(semconv.AttrNamespace) == off.namespace
	}); len(spans) > 0 {
		t.Errorf("the manager without telemetry has %d spans", len(spans))
	}
}
