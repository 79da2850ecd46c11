// SPDX-License-Identifier: Apache-2.0

package virtualtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/clientset/versioned/scheme"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

// failures is a test of a user's that may fail.
type failures struct {
	ctx      context.Context
	cleanups []func()
	text     []string
	log      bytes.Buffer
}

func (f *failures) Helper()                  {}
func (f *failures) Context() context.Context { return f.ctx }
func (f *failures) Cleanup(c func())         { f.cleanups = append([]func(){c}, f.cleanups...) }
func (f *failures) Errorf(format string, args ...any) {
	f.text = append(f.text, fmt.Sprintf(format, args...))
}
func (f *failures) Output() io.Writer { return &f.log }
func (f *failures) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

// run runs such a test, and returns how it failed.
func run(t *testing.T, test func(*failures)) string {
	f := &failures{ctx: t.Context()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
	for _, c := range f.cleanups {
		c()
	}
	return strings.Join(f.text, "\n")
}

func TestWhatTheTestItselfDoesWrongFailsItAtOnce(t *testing.T) {
	for want, test := range map[string]func(*virtualtest.API){
		"not found":                           func(api *virtualtest.API) { api.Get(configMap("a")) },
		"already exists":                      func(api *virtualtest.API) { api.Create(configMap("a"), configMap("a")) },
		"the object has the namespace \"\"":   func(api *virtualtest.API) { api.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}) },
		"0 resources are of the kind Flunder": func(api *virtualtest.API) { api.Create(&wardlev1beta1.Flunder{}) },
		"no resource is of the kind a/v1, Kin": func(api *virtualtest.API) {
			u := &unstructured.Unstructured{}
			u.SetAPIVersion("a/v1")
			u.SetKind("Kind")
			api.Create(u)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			reached := false
			got := run(t, func(f *failures) {
				test(virtualtest.NewAPI(f))
				reached = true
			})
			if !strings.Contains(got, want) || reached {
				t.Errorf("it failed with %q, want %q", got, want)
			}
		})
	}
}

func TestAManagerThatFailsMakesOrphansOrChangesItsCacheFailsTheTest(t *testing.T) {
	orphan := func(m *controller.Manager) error {
		client, err := kubernetes.NewForConfig(m.Config())
		m.AddRunnable("r", func(ctx context.Context) error {
			_, _ = client.CoreV1().ConfigMaps("shop").List(context.WithoutCancel(t.Context()), metav1.ListOptions{})
			<-ctx.Done()
			return nil
		})
		return err
	}
	changes := func(m *controller.Manager) error {
		client, err := kubernetes.NewForConfig(m.Config())
		maps := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0)).Core().V1().ConfigMaps()
		lister := maps.Lister()
		controller.New(m, "c", maps.TypedInformer(), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			cached, err := lister.ConfigMaps("shop").Get(cm.Name)
			cached.Data = map[string]string{"changed": "in place"}
			return controller.Result{}, err
		}, controller.Options{})
		return err
	}
	for want, setUp := range map[string]func(*controller.Manager) error{
		"":                    setUp,
		"set up the manager:": func(*controller.Manager) error { return errors.New("no config") },
		"Run of the manager returned:": func(m *controller.Manager) error {
			m.AddRunnable("r", func(context.Context) error { return errors.New("broken") })
			return nil
		},
		"orphaned call:": orphan, "shop/a": changes,
	} {
		synctest.Test(t, func(t *testing.T) {
			got := run(t, func(f *failures) {
				api := virtualtest.NewAPI(f)
				api.Create(configMap("a"))
				virtualtest.Start(f, api, setUp)
				time.Sleep(time.Minute)
			})
			if !strings.Contains(got, want) || want == "" && got != "" {
				t.Errorf("it failed with %q, want %q", got, want)
			}
		})
	}
}

func TestAnErrorThatStopReturnsIsTheTestsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := virtualtest.Start(t, virtualtest.NewAPI(t), func(m *controller.Manager) error {
			m.AddRunnable("r", func(context.Context) error { return errors.New("broken") })
			return nil
		})
		<-r.Done()
		if err := r.Stop(nil); err == nil || !strings.Contains(err.Error(), "broken") {
			t.Errorf("Run returned %v", err)
		}
	})
}

func TestAClientsetSaysWhatIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t, virtualtest.ResourcesOf[versioned.Interface](scheme.Scheme)...)
		f := &wardlev1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "f"}}
		f.Spec.Image = "web:1"
		api.Create(f)
		f.Status.ReadyReplicas = 3
		api.UpdateStatus(f)
		got, err := versioned.NewForConfigOrDie(api.Config()).WardleV1beta1().Flunders("shop").Get(t.Context(), "f", metav1.GetOptions{})
		if err != nil || got.Status.ReadyReplicas != 3 || got.Generation != 1 {
			t.Errorf("%+v, %v", got, err)
		}
		api.Create(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}})
		if all := virtualtest.List[*wardlev1beta1.Flunder](api, ""); len(all) != 1 || all[0].Spec.Image != "web:1" {
			t.Errorf("%+v", all)
		}
	})
}

func TestAResourceThatIsStatedTakesThePlaceOfThatOfTheClientset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t, append(virtualtest.ResourcesOf[versioned.Interface](scheme.Scheme),
			virtualtest.Resource{Group: "wardle.example.com", Version: "v1beta1", Kind: "Flunder", Plural: "fish"})...)
		f := &wardlev1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "f"}}
		api.Create(f)
		client := versioned.NewForConfigOrDie(api.Config()).WardleV1beta1().RESTClient()
		get := func(resource string) error {
			return client.Get().Namespace("shop").Resource(resource).Name("f").Do(t.Context()).Error()
		}
		if err := get("fish"); err != nil {
			t.Error(err)
		}
		if err := get("flunders"); !apierrors.IsNotFound(err) {
			t.Errorf("the name of the clientset's method: %v", err)
		}
	})
}

// TestLeadersChangeInVirtualTime: the first ends without releasing its Lease, which the second takes when it is
// over. It loses its connection to the API and its term, and then leads again.
func TestLeadersChangeInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		leads := [2]atomic.Bool{}
		var cut atomic.Bool
		api.Before(func(_ context.Context, c virtualtest.Call) error {
			if c.Resource == "leases" && c.Writes() && cut.Load() {
				return errors.New("connection refused")
			}
			return nil
		})
		var managers [2]*virtualtest.Running
		for i := range managers {
			managers[i] = virtualtest.Start(t, api, func(m *controller.Manager) error {
				m.AddLeaderRunnable("works", func(ctx context.Context) error {
					leads[i].Store(true)
					defer leads[i].Store(false)
					<-ctx.Done()
					return nil
				})
				return nil
			}, func(o *controller.ManagerOptions) {
				o.LeaderElection = &controller.LeaderElection{Namespace: "shop", Name: "operator", Identity: fmt.Sprint(i)}
			})
			synctest.Wait()
		}
		wait := func(what string, d time.Duration, first, second bool) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if leads[0].Load() != first || leads[1].Load() != second {
				t.Errorf("%s: they lead: %t, %t", what, leads[0].Load(), leads[1].Load())
			}
		}
		wait("after an hour", time.Hour, true, false)
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "operator"}}
		if api.Get(lease); *lease.Spec.HolderIdentity != "0" || time.Since(lease.Spec.RenewTime.Time) > time.Minute {
			t.Fatalf("the Lease is %+v", lease.Spec)
		}
		cut.Store(true)
		_ = managers[0].Stop(nil) // says that the Lease is not released
		cut.Store(false)
		api.Get(lease)
		over := lease.Spec.RenewTime.Add(time.Duration(*lease.Spec.LeaseDurationSeconds) * time.Second)
		wait("before the Lease is over", time.Until(over)-time.Second, false, false)
		wait("after that", 10*time.Second, false, true)
		cut.Store(true)
		wait("without the API", time.Minute, false, false)
		cut.Store(false)
		wait("with it again", time.Minute, false, true)
	})
}
