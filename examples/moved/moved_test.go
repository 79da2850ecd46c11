// SPDX-License-Identifier: Apache-2.0

package moved_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	wardleclient "github.com/lanyard-k8s/lanyard/clientset/versioned/typed/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/moved/after"
	"github.com/lanyard-k8s/lanyard/examples/moved/before"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(klog.Background())
	suite.Main(m)
}

// records is the DNS server. It keeps the records of one namespace: an operator works in all, also in those
// of earlier tests.
type records struct {
	namespace string

	mu    sync.Mutex
	names map[string]bool
}

func (r *records) Add(_ context.Context, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if namespace, flunder, _ := strings.Cut(name, "/"); namespace == r.namespace {
		r.names[flunder] = true
	}
	return nil
}

func (r *records) Remove(_ context.Context, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.names, strings.TrimPrefix(name, r.namespace+"/"))
	return nil
}

func (r *records) are(names ...string) func() bool {
	return func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.Equal(slices.Sorted(maps.Keys(r.names)), names)
	}
}

// env is a namespace, and a DNS server.
type env struct {
	*suite.Env
	records  *records
	flunders wardleclient.FlunderInterface
}

func newEnv(t *testing.T) *env {
	e := &env{Env: suite.New(t, nil), records: &records{names: map[string]bool{}}}
	e.records.namespace = e.Namespace
	e.DefineFlunders()
	e.flunders = versioned.NewForConfigOrDie(e.Config()).WardleV1beta1().Flunders(e.Namespace)
	return e
}

// start runs an operator until stop is called.
func (e *env) start(run func(context.Context, *rest.Config) error) (stop func()) {
	ctx, cancel := context.WithCancel(e.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, e.Config()) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			e.Errorf("the operator ended with %v", err)
		}
	})
	e.Cleanup(stop)
	return stop
}

func (e *env) startBefore() (stop func()) {
	return e.start(func(ctx context.Context, config *rest.Config) error { return before.Run(ctx, config, e.records) })
}

func (e *env) startAfter() (stop func()) {
	return e.start(func(ctx context.Context, config *rest.Config) error { return after.Run(ctx, config, e.records) })
}

func (e *env) create(name, reference string) {
	e.Helper()
	_, err := e.flunders.Create(e.Context(), &wardlev1beta1.Flunder{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       wardlev1beta1.FlunderSpec{Image: "registry.example.com/web:1", FlunderReference: reference},
	}, metav1.CreateOptions{})
	e.Must(err)
}

// has reports whether the Ready condition of a Flunder has a reason.
func (e *env) has(name, reason string) func() bool {
	return func() bool {
		f, err := e.flunders.Get(e.Context(), name, metav1.GetOptions{})
		e.Must(err)
		ready := meta.FindStatusCondition(f.Status.Conditions, wardlev1beta1.ConditionReady)
		return ready != nil && ready.Reason == reason
	}
}

func (e *env) deployment(name string) (*appsv1.Deployment, error) {
	return e.Kube.AppsV1().Deployments(e.Namespace).Get(e.Context(), name, metav1.GetOptions{})
}

// rollOut does what the controller of Deployments would do, which does not run here.
func (e *env) rollOut(name string) {
	e.Helper()
	e.Must(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		d, err := e.deployment(name)
		if err != nil {
			return err
		}
		d.Status.Replicas, d.Status.ReadyReplicas, d.Status.AvailableReplicas = 1, 1, 1
		_, err = e.Kube.AppsV1().Deployments(e.Namespace).UpdateStatus(e.Context(), d, metav1.UpdateOptions{})
		return err
	}))
}

func TestBothOperatorsDoTheSame(t *testing.T) {
	for name, start := range map[string]func(*env) func(){
		"before": (*env).startBefore, "after": (*env).startAfter,
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			stop := start(e)
			e.create("web", "db")
			e.create("db", "")
			e.Eventually("web waits", e.has("web", wardlev1beta1.ReasonReferenceNotReady))
			e.Eventually("db is rolled out", e.has("db", wardlev1beta1.ReasonRollingOut))
			if _, err := e.deployment("web"); !apierrors.IsNotFound(err) {
				t.Errorf("there is a Deployment of web, or %v", err)
			}
			e.rollOut("db")
			e.Eventually("db is ready", e.has("db", wardlev1beta1.ReasonAvailable))
			e.Eventually("web is rolled out", e.has("web", wardlev1beta1.ReasonRollingOut))
			d, err := e.deployment("web")
			e.Must(err)
			if owner := metav1.GetControllerOf(d); owner == nil || owner.Name != "web" {
				t.Errorf("the owner is %v", owner)
			}
			e.Eventually("both have records", e.records.are("db", "web"))
			e.Must(e.flunders.Delete(t.Context(), "web", metav1.DeleteOptions{}))
			e.Eventually("web is gone", func() bool {
				_, err := e.flunders.Get(t.Context(), "web", metav1.GetOptions{})
				return apierrors.IsNotFound(err)
			})
			if !e.records.are("db")() {
				t.Error("web went before its record")
			}
			stop()
		})
	}
}

// TestTheMovedOperatorTakesOverWhatTheOtherHasMade, without a write where nothing differs.
func TestTheMovedOperatorTakesOverWhatTheOtherHasMade(t *testing.T) {
	e := newEnv(t)
	stop := e.startBefore()
	e.create("db", "")
	e.Eventually("db is rolled out", e.has("db", wardlev1beta1.ReasonRollingOut))
	e.rollOut("db")
	e.Eventually("db is ready", e.has("db", wardlev1beta1.ReasonAvailable))
	stop()

	operator := e.Start(controller.ManagerOptions{}, func(m *controller.Manager) error { return after.SetUp(m, e.records) })
	operator.AtRest(func() {
		e.Must(e.records.Remove(t.Context(), e.Namespace+"/db"))
		f, err := e.flunders.Get(t.Context(), "db", metav1.GetOptions{})
		e.Must(err)
		f.Labels = map[string]string{"touched": "yes"}
		_, err = e.flunders.Update(t.Context(), f, metav1.UpdateOptions{})
		e.Must(err)
		e.Eventually("it was reconciled", e.records.are("db"))
	})
	f, err := e.flunders.Get(t.Context(), "db", metav1.GetOptions{})
	e.Must(err)
	f.Spec.Image = "registry.example.com/web:2"
	_, err = e.flunders.Update(t.Context(), f, metav1.UpdateOptions{})
	e.Must(err)
	e.Eventually("the Deployment has the new image", func() bool {
		d, err := e.deployment("db")
		return err == nil && d.Spec.Template.Spec.Containers[0].Image == "registry.example.com/web:2"
	})
	e.Must(e.flunders.Delete(t.Context(), "db", metav1.DeleteOptions{}))
	e.Eventually("the record is gone", e.records.are())
	operator.Stop()
}
