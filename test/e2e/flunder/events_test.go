// SPDX-License-Identifier: Apache-2.0

package flunder_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	kubescheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned/scheme"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/events"
)

// newRecorder makes a recorder that knows the kinds of Kubernetes and of this repository.
func newRecorder(config *rest.Config) *events.Recorder {
	client, kinds := kubernetes.NewForConfigOrDie(config), runtime.NewScheme()
	utilruntime.Must(errors.Join(kubescheme.AddToScheme(kinds), scheme.AddToScheme(kinds)))
	return events.NewRecorder(client.EventsV1(), kinds, "wardle.example.com/flunder-controller", "test")
}

func (e *env) events(namespace string) []eventsv1.Event {
	e.Helper()
	events, err := e.kube.EventsV1().Events(namespace).List(e.Context(), metav1.ListOptions{})
	if err != nil {
		e.Fatal(err)
	}
	return events.Items
}

// logged returns a context whose log is kept.
func logged(t *testing.T) (context.Context, ktesting.Buffer) {
	logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true), ktesting.Verbosity(0)))
	return klog.NewContext(t.Context(), logger), logger.GetSink().(ktesting.Underlier).GetBuffer()
}

// TestTheSameEventAgainCountsUpTheFirst records as the controller's own account, so the permissions of
// config/rbac are enough for it.
func TestTheSameEventAgainCountsUpTheFirst(t *testing.T) {
	e := newEnv(t)
	f := e.create("a", "")
	config, counter := e.account(), &requestCounter{}
	config.Wrap(counter.wrap)
	ctx, log := logged(t)
	record := func(ctx context.Context, recorder *events.Recorder, note string) {
		recorder.Eventf(ctx, f, f, corev1.EventTypeWarning, "Odd", "Look", "%s", note)
	}
	for range 3 { // each time by a recorder that remembers nothing, as after a restart
		recorder := newRecorder(config)
		record(ctx, recorder, "something is odd")
		before := counter.n.Load()
		record(ctx, recorder, "something is odd")
		if n := counter.n.Load() - before; n != 1 {
			t.Errorf("a repeat made %d calls: %q", n, counter.seen[before:])
		}
	}
	if got := e.events(e.namespace); len(got) != 1 || got[0].Series == nil || got[0].Series.Count != 6 || got[0].Regarding.Kind != "Flunder" || got[0].Regarding.UID != f.UID || got[0].Related.UID != f.UID {
		t.Errorf("the events are %+v", got)
	}
	recorder := newRecorder(config)
	record(ctx, recorder, "something else is odd")
	record(ctx, recorder, strings.Repeat("long ", 1000))
	if got := e.events(e.namespace); len(got) != 3 {
		t.Errorf("%d events, want 3", len(got))
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	record(ended, recorder, "late")
	if got := e.events(e.namespace); len(got) != 3 {
		t.Errorf("%d events after one on a context that has ended", len(got))
	}
	record(ctx, recorder, "late") // the event begins with the count of both
	got := e.events(e.namespace)
	if !slices.ContainsFunc(got, func(event eventsv1.Event) bool {
		return event.Note == "late" && event.Series != nil && event.Series.Count == 2
	}) {
		t.Errorf("the events are %+v", got)
	}
	for i := range 12 {
		record(ctx, recorder, strings.Repeat("x", i))
	}
	if got := e.events(e.namespace); len(got) != 3+1+7 { // ten of this recorder's are known: nine, and one for all others
		t.Errorf("%d events after twelve that differ in their note", len(got))
	}
	if log.String() != "" {
		t.Errorf("the log is\n%s", log)
	}
}

// TestARepeatInAReconcileIsOneCallOfThatReconcile looks at what the framework logs of reconciles that record
// the same event each time.
func TestARepeatInAReconcileIsOneCallOfThatReconcile(t *testing.T) {
	e := newEnv(t)
	m := controller.NewManager(plane.Config(), controller.ManagerOptions{})
	client, recorder := kubernetes.NewForConfigOrDie(m.Config()), newRecorder(m.Config())
	maps := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(e.namespace))).Core().V1().ConfigMaps()
	controller.New(m, "maps", maps.TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		recorder.Eventf(ctx, cm, nil, corev1.EventTypeWarning, "Odd", "Look", "always the same")
		return controller.Result{}, nil
	}, controller.Options{})
	logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true), ktesting.Verbosity(1)))
	ctx, end := context.WithCancel(klog.NewContext(t.Context(), logger))
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	e.configMap("m")
	for times := 1; times <= 4; times++ {
		e.eventually("the event is counted", func() bool {
			found := e.events(e.namespace)
			return len(found) == 1 && (times == 1 || found[0].Series != nil && int(found[0].Series.Count) == times)
		})
		_, err := e.kube.CoreV1().ConfigMaps(e.namespace).Patch(t.Context(), "m", types.MergePatchType, fmt.Appendf(nil, `{"data":{"n":"%d"}}`, times), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
	log := logger.GetSink().(ktesting.Underlier).GetBuffer().String()
	if n := strings.Count(log, "calls=1"); n < 4 || strings.Contains(log, "calls=2") || strings.Contains(log, "calls=3") {
		t.Errorf("the log is\n%s", log)
	}
}

func TestEventsOfClusterScopedObjectsAreWrittenWhateverTheirNames(t *testing.T) {
	e := newEnv(t)
	ctx, log := logged(t)
	recorder := newRecorder(plane.Config())
	for _, name := range []string{"system:" + e.namespace, e.namespace + "." + strings.Repeat("x", 230)} {
		role, err := e.kube.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			recorder.Eventf(ctx, role, nil, corev1.EventTypeNormal, "Made", "Make", "it is there")
		}
		found := e.events(metav1.NamespaceDefault)
		if !slices.ContainsFunc(found, func(event eventsv1.Event) bool {
			return event.Regarding.Name == name && event.Regarding.Kind == "ClusterRole" && event.Series != nil && event.Series.Count == 2
		}) {
			t.Errorf("no event about %s in %+v", name, found)
		}
	}
	if log.String() != "" {
		t.Errorf("the log is\n%s", log)
	}
}

func TestAnEventInANamespaceThatIsBeingDeletedOrGoneIsNoError(t *testing.T) {
	e := newEnv(t)
	f := e.create("a", "")
	ctx, log := logged(t)
	recorder := newRecorder(plane.Config())
	if err := e.kube.CoreV1().Namespaces().Delete(ctx, e.namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	recorder.Eventf(ctx, f, nil, corev1.EventTypeNormal, "Ending", "End", "the namespace ends")
	f.Namespace = "there-is-none"
	recorder.Eventf(ctx, f, nil, corev1.EventTypeNormal, "Ending", "End", "the namespace ends")
	if got := e.events(e.namespace); len(got) != 0 || log.String() != "" {
		t.Errorf("the events are %+v, the log is\n%s", got, log)
	}
}

func TestAMetadataOnlyObjectNeedsAReference(t *testing.T) {
	e := newEnv(t)
	f := e.create("a", "")
	ctx, log := logged(t)
	recorder := newRecorder(plane.Config())
	resource := metadata.NewForConfigOrDie(plane.Config()).Resource(v1beta1.SchemeGroupVersion.WithResource("flunders")).Namespace(e.namespace)
	only, err := resource.Get(ctx, "a", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	recorder.Eventf(ctx, only, nil, corev1.EventTypeNormal, "Seen", "Look", "it is there")
	if got := e.events(e.namespace); len(got) != 0 || !strings.Contains(log.String(), "pass a *corev1.ObjectReference") {
		t.Errorf("the events are %+v, the log is\n%s", got, log)
	}
	recorder.Eventf(ctx, &corev1.ObjectReference{
		APIVersion: "wardle.example.com/v1beta1", Kind: "Flunder",
		Namespace: only.Namespace, Name: only.Name, UID: only.UID,
	}, nil, corev1.EventTypeNormal, "Seen", "Look", "it is there")
	if got := e.events(e.namespace); len(got) != 1 || got[0].Regarding.UID != f.UID {
		t.Errorf("the events are %+v", got)
	}
}
