// SPDX-License-Identifier: Apache-2.0

package caches_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// counting runs a controller of the ConfigMaps of a namespace that counts its reconciles.
func counting(m *controller.Manager, namespace string) (n *atomic.Int32, lister corev1listers.ConfigMapNamespaceLister) {
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(
		kubernetes.NewForConfigOrDie(m.Config()), 0, informers.WithNamespace(namespace)))
	maps := factory.Core().V1().ConfigMaps()
	n = &atomic.Int32{}
	controller.New(m, "maps", maps.TypedInformer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
		n.Add(1)
		return controller.Result{}, nil
	}, controller.Options{})
	return n, maps.Lister().ConfigMaps(namespace)
}

// account makes a service account that may do something with ConfigMaps. grant changes what.
func account(t *testing.T, ns string, verbs ...string) (config *rest.Config, grant func(verbs ...string)) {
	t.Helper()
	client := kubernetes.NewForConfigOrDie(plane.Config())
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "reader"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: verbs}}}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "reader"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "reader"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: ns, Name: "reader"}},
	}
	_, err1 := client.RbacV1().Roles(ns).Create(t.Context(), role, metav1.CreateOptions{})
	_, err2 := client.RbacV1().RoleBindings(ns).Create(t.Context(), binding, metav1.CreateOptions{})
	_, err3 := client.CoreV1().ServiceAccounts(ns).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "reader"}}, metav1.CreateOptions{})
	config, err4 := plane.ServiceAccountConfig(t.Context(), ns, "reader")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return config, func(verbs ...string) {
		role.Rules[0].Verbs = verbs
		if _, err := client.RbacV1().Roles(ns).Update(t.Context(), role, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAForbiddenWatchIsToldFailsReadyAndMakesNoStorm(t *testing.T) {
	ns := namespace(t)
	for i := range 6 {
		create(t, plane.Config(), ns, fmt.Sprint("x-", i), "v")
	}
	config, grant := account(t, ns, "list")
	m := controller.NewManager(config, controller.ManagerOptions{})
	n, _ := counting(m, ns)
	log, stop := suite.Start(t, m)
	suite.Eventually(t, "everything is reconciled, and the watch is told", func() error {
		if n.Load() < 6 {
			return fmt.Errorf("%d reconciles", n.Load())
		}
		return has(log.String(), "level=ERROR", "List or watch failed", "grant list and watch", "forbidden")
	})
	suite.Eventually(t, "Ready fails", func() error {
		if err := m.Ready(); err == nil {
			return errors.New("it is ready")
		} else {
			return has(err.Error(), "informer of ConfigMap", "since", "grant list and watch")
		}
	})
	suite.Eventually(t, "it is told again", func() error { return has(log.String(), "A cache is not fed") })
	if n.Load() != 6 {
		t.Errorf("%d reconciles of 6 objects that did not change", n.Load())
	}
	grant("list", "watch")
	suite.Eventually(t, "it is fed again", func() error { return errors.Join(m.Ready(), has(log.String(), "A cache is fed again")) })
	create(t, plane.Config(), ns, "new", "v")
	suite.Eventually(t, "the watch works", func() error {
		if n.Load() < 7 {
			return fmt.Errorf("%d reconciles", n.Load())
		}
		return nil
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Both an informer of a controller, and one of which only the lister is used: its factory runs it.
func TestAnOutageIsToldAndItsEndToo(t *testing.T) {
	ns := namespace(t)
	create(t, plane.Config(), ns, "x", "v")
	p := newProxy(t, plane.Config())
	m := controller.NewManager(p.config(), controller.ManagerOptions{})
	counting(m, ns)
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(
		kubernetes.NewForConfigOrDie(m.Config()), 0, informers.WithNamespace(ns)))
	secrets := factory.Core().V1().Secrets().Lister()
	log, stop := suite.Start(t, m)
	suite.Eventually(t, "ready", m.Ready)
	p.answer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "etcd is away", http.StatusInternalServerError)
	}))
	began := time.Now()
	suite.Eventually(t, "told", func() error {
		if m.Ready() == nil {
			return errors.New("it is ready")
		}
		return has(log.String()+m.Ready().Error(), "A cache is not fed", "informer of a factory for secrets in "+ns, "informer of ConfigMap: its cache has not been fed since")
	})
	if took := time.Since(began); took < 9*time.Second {
		t.Errorf("Ready failed after %v", took)
	}
	p.serve(t, plane.Config())
	suite.Eventually(t, "its end is told", func() error {
		if n := strings.Count(log.String(), "A cache is fed again"); n != 2 {
			return fmt.Errorf("told of %d ends", n)
		}
		return m.Ready()
	})
	if _, err := secrets.List(labels.Everything()); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Another control plane, which is younger, takes the place of the first: as after a restore of etcd
// from an older backup, what was written since is not there, and versions are lower.
func TestVersionsThatRunBackwardsFillTheCachesAnew(t *testing.T) {
	younger, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = younger.Stop(context.WithoutCancel(t.Context())) })
	create(t, younger.Config(), "default", "kept", "old")
	create(t, plane.Config(), "default", "kept", "new")
	for i := range 400 { // until its versions are the higher ones
		create(t, plane.Config(), "default", fmt.Sprint("lost-", i), "v")
	}
	p := newProxy(t, plane.Config())
	m := controller.NewManager(p.config(), controller.ManagerOptions{})
	n, lister := counting(m, "default")
	log, stop := suite.Start(t, m)
	suite.Eventually(t, "ready", m.Ready)
	before := n.Load()
	time.Sleep(2 * time.Second) // after a watch of less than a second client-go lists anew by itself
	p.serve(t, younger.Config())
	suite.Eventually(t, "the cache has what the API server has", func() error {
		kept, err := lister.Get("kept")
		if err != nil || kept.Data["value"] != "old" {
			return fmt.Errorf("kept is %v, %w", kept, err)
		}
		if all, _ := lister.List(labels.Everything()); len(all) > 10 {
			return fmt.Errorf("%d objects", len(all))
		}
		return has(log.String(), "Versions run backwards")
	})
	create(t, younger.Config(), "default", "after", "v")
	suite.Eventually(t, "events are delivered again", func() error {
		if _, err := lister.Get("after"); err != nil || n.Load() <= before {
			return fmt.Errorf("%d reconciles, %w", n.Load()-before, err)
		}
		return m.Ready()
	})
	if n := strings.Count(log.String(), "Versions run backwards"); n != 1 {
		t.Errorf("told %d times", n)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// The informer of the Secrets is run by its factory: only its lister is used.
func TestC24AnObjectOfAListerChangedInPlaceEndsRun(t *testing.T) {
	ns := namespace(t)
	create(t, plane.Config(), ns, "x", "v")
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "key"}, Data: map[string][]byte{"value": []byte("v")}}
	if _, err := kubernetes.NewForConfigOrDie(plane.Config()).CoreV1().Secrets(ns).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	m := controller.NewManager(plane.Config(), controller.ManagerOptions{DetectMutations: true})
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(
		kubernetes.NewForConfigOrDie(m.Config()), 0, informers.WithNamespace(ns)))
	secrets := factory.Core().V1().Secrets().Lister().Secrets(ns)
	done := make(chan error, 1)
	controller.New(m, "maps", factory.Core().V1().ConfigMaps().TypedInformer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
		cached, err := secrets.Get("key")
		if err == nil {
			cached.Labels = map[string]string{"written": "in-place"}
		}
		done <- err
		return controller.Result{}, nil
	}, controller.Options{})
	_, stop := suite.Start(t, m)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := stop(); err == nil || has(err.Error(), "informer of Secret", ns+"/key", "changed in place", `"written": "in-place"`) != nil {
		t.Errorf("Run returned %v", err)
	}
}
