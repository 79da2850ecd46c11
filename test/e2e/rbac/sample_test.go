// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/rbac"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kustomize"
)

// ownersFinalizers is what the API server asks by itself, where a plugin is on. The suite's server has it
// on, and TestTheOwnersFinalizersAreNeededWhereThePluginIsOn shows that it is needed there.
func ownersFinalizers(used rbac.Used) rbac.Used {
	return used.Also("the API server asks for it where OwnerReferencesPermissionEnforcement is on", rbac.Use{
		Verb: "update", Group: v1beta1.GroupName, Resource: "flunders/finalizers", Namespace: rbac.Any, Name: rbac.Any,
	})
}

// TestTheSampleUsesExactlyWhatConfigGrants runs the sample controller as its own service account, which has
// the permissions of config/rbac, through all that it does.
func TestTheSampleUsesExactlyWhatConfigGrants(t *testing.T) {
	e := newEnv(t)
	used := ownersFinalizers(e.recordSample(e.as(system, account), system))
	for _, use := range used {
		if use.Refused {
			t.Errorf("%v was refused", use)
		}
	}
	rbac.Check(t, used, root+"/config/rbac")
	for _, name := range []string{"default", "manager", "rbac"} {
		checkBuilt(t, used, "config/"+name)
	}
}

// checkBuilt compares with what kustomize makes of a kustomization.
func checkBuilt(t *testing.T, used rbac.Used, name string) {
	t.Helper()
	granted, err := granted(name)
	if err != nil {
		t.Fatal(err)
	}
	differences, err := rbac.Compare(used, granted)
	if err != nil || !differences.Empty() {
		t.Errorf("%s: %v\n%s", name, err, differences)
	}
}

func granted(name string) (*rbac.Granted, error) {
	built, err := kustomize.Build(root + "/" + name)
	if err != nil {
		return nil, err
	}
	objects := make([]runtime.Object, len(built))
	for i, o := range built {
		objects[i] = o
	}
	manifests := &rbac.Manifests{}
	if err := manifests.Add(name, objects...); err != nil {
		return nil, err
	}
	return manifests.Granted(types.NamespacedName{Namespace: system, Name: account})
}

// recordSample runs the sample controller, with a hand-over and a restart, and returns what it used. Its
// Lease is in a namespace in which there is none yet.
func (e *env) recordSample(config *rest.Config, leases string) rbac.Used {
	e.Helper()
	_ = e.admin.CoordinationV1().Leases(leases).Delete(e.Context(), leaseName, metav1.DeleteOptions{})
	e.rollOut()
	first := e.startSample(config, leases, "one")
	e.create("web", "")
	e.await("web", v1beta1.ReasonAvailable)
	e.edit("web", func(f *v1beta1.Flunder) { f.Spec.Image = "registry.example.com/app:v2" })
	e.await("web", v1beta1.ReasonAvailable)
	e.create("behind", "web")
	e.await("behind", v1beta1.ReasonAvailable)
	for range 2 { // the second time the event is counted up
		e.breakReference()
	}
	e.must(e.wardle().Delete(e.Context(), "web", metav1.DeleteOptions{}))
	e.await("behind", v1beta1.ReasonReferenceNotFound)
	e.edit("behind", func(f *v1beta1.Flunder) { f.Spec.FlunderReference = "" })
	second := e.startSample(config, leases, "two")
	firstUsed := first()
	e.create("later", "")
	e.await("later", v1beta1.ReasonAvailable)
	secondUsed := second()
	restarted := e.startSample(config, leases, "one")
	e.breakReference() // and knows nothing of the event that is there
	return rbac.Merge(firstUsed, secondUsed, restarted())
}

const leaseName = "sample-controller"

// startSample runs a replica. stop ends it and returns what it used.
func (e *env) startSample(config *rest.Config, leases, instance string) (stop func() rbac.Used) {
	e.Helper()
	recorder := rbac.NewRecorder()
	m := controller.NewManager(recorder.Config(config), controller.ManagerOptions{
		LeaderElection: &controller.LeaderElection{
			Namespace: leases, Name: leaseName, Identity: instance, RetryPeriod: 100 * time.Millisecond,
		},
	})
	_, err := flunder.Setup(m, flunder.Options{Workers: 2, Instance: instance})
	e.must(err)
	end := e.run(m)
	return func() rbac.Used {
		end()
		return recorder.Used()
	}
}

// run runs a manager until end is called, or the test ends.
func (e *env) run(m *controller.Manager) (end func()) {
	quiet := logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	ctx, cancel := context.WithCancel(klog.NewContext(e.Context(), quiet))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.Run(ctx); err != nil {
			e.Errorf("the manager ended with %v", err)
		}
	}()
	end = func() {
		cancel()
		<-done
	}
	e.Cleanup(end)
	return end
}

// rollOut stands in for kube-controller-manager and the kubelets: it reports each Deployment of the
// namespace as rolled out.
func (e *env) rollOut() {
	e.Helper()
	m := controller.NewManager(plane.Config(), controller.ManagerOptions{})
	client := kubernetes.NewForConfigOrDie(m.Config())
	deployments := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(
		client, 0, informers.WithNamespace(e.namespace))).Apps().V1().Deployments()
	reconcile := func(ctx context.Context, d *appsv1.Deployment) (controller.Result, error) {
		n := *d.Spec.Replicas
		if d.Status.ObservedGeneration == d.Generation && d.Status.AvailableReplicas == n {
			return controller.Result{}, nil
		}
		d.Status = appsv1.DeploymentStatus{
			ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
		}
		_, err := client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d, metav1.UpdateOptions{})
		return controller.Result{}, err
	}
	controller.New(m, "rollout", deployments.TypedInformer(), reconcile, controller.Options{})
	e.run(m)
}

type flunders interface {
	Create(context.Context, *v1beta1.Flunder, metav1.CreateOptions) (*v1beta1.Flunder, error)
	Get(context.Context, string, metav1.GetOptions) (*v1beta1.Flunder, error)
	Update(context.Context, *v1beta1.Flunder, metav1.UpdateOptions) (*v1beta1.Flunder, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
}

func (e *env) wardle() flunders {
	return versioned.NewForConfigOrDie(plane.Config()).WardleV1beta1().Flunders(e.namespace)
}

func (e *env) create(name, reference string) {
	e.Helper()
	_, err := e.wardle().Create(e.Context(), &v1beta1.Flunder{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1beta1.FlunderSpec{Image: "registry.example.com/app:v1", FlunderReference: reference},
	}, metav1.CreateOptions{})
	e.must(err)
}

func (e *env) edit(name string, change func(*v1beta1.Flunder)) {
	e.Helper()
	e.eventually("an edit of "+name, func() error {
		f, err := e.wardle().Get(e.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		change(f)
		_, err = e.wardle().Update(e.Context(), f, metav1.UpdateOptions{})
		return err
	})
}

// breakReference has the Flunder behind refer to nothing for a while.
func (e *env) breakReference() {
	e.Helper()
	var before string
	e.edit("behind", func(f *v1beta1.Flunder) {
		before = f.Spec.FlunderReference
		f.Spec.FlunderReference = "nothing"
	})
	e.await("behind", v1beta1.ReasonReferenceNotFound)
	e.edit("behind", func(f *v1beta1.Flunder) { f.Spec.FlunderReference = before })
	e.await("behind", v1beta1.ReasonAvailable)
}

func (e *env) await(name, reason string) {
	e.Helper()
	e.eventually(name+" is "+reason, func() error {
		f, err := e.wardle().Get(e.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		ready := meta.FindStatusCondition(f.Status.Conditions, v1beta1.ConditionReady)
		if ready == nil || ready.Reason != reason || f.Status.ObservedGeneration != f.Generation {
			return fmt.Errorf("its status is %+v", f.Status)
		}
		return nil
	})
}
