// SPDX-License-Identifier: Apache-2.0

package flunder_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// plane is the control plane of this package's tests: etcd and kube-apiserver, with the CRD and the
// permissions of config/ applied.
var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

// env is a namespace for one test.
type env struct {
	*testing.T
	namespace string
	kube      kubernetes.Interface
	wardle    versioned.Interface
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{T: t, kube: kubernetes.NewForConfigOrDie(plane.Config()), wardle: versioned.NewForConfigOrDie(plane.Config())}
	ns, err := e.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e.namespace = ns.Name
	return e
}

// account is the controller's own service account with the permissions of config/rbac.
func (e *env) account() *rest.Config {
	e.Helper()
	config, err := plane.ServiceAccountConfig(e.Context(), "lanyard-system", "flunder-controller")
	if err != nil {
		e.Fatal(err)
	}
	return config
}

// controllerRun is the Flunder controller at work in a namespace.
type controllerRun struct {
	*controller.Manager
	*controller.Controller[*v1beta1.Flunder]
	requests *requestCounter
	end      context.CancelCauseFunc
	done     chan struct{}
	err      error
}

// runController runs the Flunder controller as its service account until the test ends.
func (e *env) runController(workers int) *controllerRun {
	e.Helper()
	r := &controllerRun{requests: &requestCounter{}, done: make(chan struct{})}
	config := e.account()
	config.Wrap(r.requests.wrap)
	r.Manager = controller.NewManager(config, controller.ManagerOptions{})
	var err error
	if r.Controller, err = flunder.Setup(r.Manager, flunder.Options{Namespace: e.namespace, Workers: workers}); err != nil {
		e.Fatal(err)
	}
	r.start(e)
	return r
}

func (r *controllerRun) start(e *env) {
	ctx, end := context.WithCancelCause(quiet(e.Context()))
	r.end = end
	go func() {
		defer close(r.done)
		r.err = r.Run(ctx)
	}()
	e.Cleanup(func() {
		if err := r.stop(); err != nil {
			e.Errorf("the controller ended with %v", err)
		}
	})
}

func (r *controllerRun) stop() error {
	r.end(nil)
	<-r.done
	return r.err
}

// quiet keeps the log of a controller under test to its errors.
func quiet(ctx context.Context) context.Context {
	return klog.NewContext(ctx, logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
}

// requestCounter counts requests other than watches at the transport.
type requestCounter struct {
	n    atomic.Int64
	mu   sync.Mutex
	seen []string
}

func (c *requestCounter) wrap(next http.RoundTripper) http.RoundTripper {
	return &countingTransport{RoundTripper: next, counter: c}
}

type countingTransport struct {
	http.RoundTripper
	counter *requestCounter
}

// WrappedRoundTripper lets the manager find the connections below, to close them at its end.
func (t *countingTransport) WrappedRoundTripper() http.RoundTripper { return t.RoundTripper }

func (t *countingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Query().Get("watch") == "" {
		t.counter.n.Add(1)
		t.counter.mu.Lock()
		t.counter.seen = append(t.counter.seen, req.Method+" "+req.URL.Path)
		t.counter.mu.Unlock()
	}
	return t.RoundTripper.RoundTrip(req)
}

// rollOut stands in for kube-controller-manager and the kubelets: it reports each Deployment of the
// namespace as rolled out.
func (e *env) rollOut() {
	e.Helper()
	m := controller.NewManager(plane.Config(), controller.ManagerOptions{})
	client := kubernetes.NewForConfigOrDie(m.Config())
	deployments := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(e.namespace))).Apps().V1().Deployments()
	controller.New(m, "rollout", deployments.TypedInformer(), func(ctx context.Context, d *appsv1.Deployment) (controller.Result, error) {
		n := *d.Spec.Replicas
		if d.Status.ObservedGeneration == d.Generation && d.Status.AvailableReplicas == n {
			return controller.Result{}, nil
		}
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n}
		_, err := client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d, metav1.UpdateOptions{})
		return controller.Result{}, err
	}, controller.Options{Workers: 8})
	ctx, end := context.WithCancel(quiet(e.Context()))
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	e.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			e.Errorf("the stand-in for kube-controller-manager ended with %v", err)
		}
	})
}

func (e *env) create(name, reference string, edit ...func(*v1beta1.Flunder)) *v1beta1.Flunder {
	e.Helper()
	f := &v1beta1.Flunder{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: name},
		Spec:       v1beta1.FlunderSpec{Image: "registry.example.com/app:v1", FlunderReference: reference},
	}
	for _, change := range edit {
		change(f)
	}
	created, err := e.wardle.WardleV1beta1().Flunders(e.namespace).Create(e.Context(), f, metav1.CreateOptions{})
	if err != nil {
		e.Fatal(err)
	}
	return created
}

func (e *env) get(name string) *v1beta1.Flunder {
	e.Helper()
	f, err := e.wardle.WardleV1beta1().Flunders(e.namespace).Get(e.Context(), name, metav1.GetOptions{})
	if err != nil {
		e.Fatal(err)
	}
	return f
}

// awaitReason waits until the Flunder's conditions have a reason for its present generation.
func (e *env) awaitReason(name, reason string) *v1beta1.Flunder {
	e.Helper()
	var f *v1beta1.Flunder
	e.eventually(fmt.Sprintf("%s is %s", name, reason), func() bool {
		f = e.get(name)
		ready := meta.FindStatusCondition(f.Status.Conditions, v1beta1.ConditionReady)
		return ready != nil && ready.Reason == reason && f.Status.ObservedGeneration == f.Generation
	})
	return f
}

// eventually waits for what the real API server brings about in its own time.
func (e *env) eventually(what string, holds func() bool) {
	e.Helper()
	err := wait.PollUntilContextTimeout(e.Context(), 20*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		e.Fatalf("not so within a minute: %s", what)
	}
}
