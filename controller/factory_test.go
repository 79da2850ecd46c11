// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/lanyard-k8s/lanyard/controller"
)

// inMemory is a clientset in memory with a node and a ConfigMap.
func inMemory() *fake.Clientset {
	return fake.NewClientset(configMap("a"), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}})
}

// lists counts the lists of ConfigMaps.
func lists(client *fake.Clientset) (n int) {
	for _, action := range client.Actions() {
		if action.GetVerb() == "list" && action.GetResource().Resource == "configmaps" {
			n++
		}
	}
	return n
}

// TestC28AListerOfAnAddedFactoryIsNeverEmptyForWantOfAnInformer although nothing but the lister was
// asked for.
func TestC28AListerOfAnAddedFactoryIsNeverEmptyForWantOfAnInformer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(controller.ManagerOptions{})
		factory := controller.AddFactory(m, informers.NewSharedInformerFactory(inMemory(), 0))
		nodes := factory.Core().V1().Nodes().Lister()
		var found int
		c := controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			all, err := nodes.List(labels.Everything())
			found = len(all)
			return controller.Result{}, err
		}, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		if found != 1 || c.Stats().Done != 1 {
			t.Errorf("%d nodes were found, %+v", found, c.Stats())
		}
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, "run more than once") && strings.Contains(line, "level=INFO") {
				t.Errorf("client-go's warning is in the log: %s", line)
			}
		}
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
	})
}

func TestC28AnInformerOfAnUnknownFactoryIsAnErrorThatNamesIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(controller.ManagerOptions{})
		factory := informers.NewSharedInformerFactory(inMemory(), 0)
		_ = factory.Core().V1().Nodes().Lister() // would be empty for ever
		controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(), nothing, controller.Options{})
		err := m.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "informer of ConfigMap") || !strings.Contains(err.Error(), "controller.AddFactory") {
			t.Errorf("Run returned %v", err)
		}
	})
}

func TestC28AnInformerThatSomethingElseStartedIsAnErrorThatNamesIt(t *testing.T) {
	for name, startElsewhere := range map[string]func(*testing.T, informers.SharedInformerFactory){
		"its factory": func(t *testing.T, factory informers.SharedInformerFactory) {
			factory.StartWithContext(t.Context())
			t.Cleanup(factory.Shutdown)
		},
		"another manager": func(t *testing.T, factory informers.SharedInformerFactory) {
			other := newManager(controller.ManagerOptions{})
			controller.AddFactory(other, factory)
			start(t, t.Context(), other)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				m := newManager(controller.ManagerOptions{})
				factory := controller.AddFactory(m, informers.NewSharedInformerFactory(inMemory(), 0))
				controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(), nothing, controller.Options{})
				startElsewhere(t, factory)
				synctest.Wait()
				err := m.Run(t.Context())
				if err == nil || !strings.Contains(err.Error(), "informer of ConfigMap") || !strings.Contains(err.Error(), "something else has started it") {
					t.Errorf("Run returned %v", err)
				}
			})
		})
	}
}

func TestControllersOfOneFactoryShareACache(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := inMemory()
		m := newManager(controller.ManagerOptions{})
		made := 0
		for _, name := range []string{"one", "other"} { // two parts of a program that do not know each other
			factory := controller.SharedFactory(m, func() informers.SharedInformerFactory {
				made++
				return informers.NewSharedInformerFactory(client, 0)
			})
			controller.New(m, name, factory.Core().V1().ConfigMaps().TypedInformer(), nothing, controller.Options{})
		}
		start(t, t.Context(), m)
		synctest.Wait()
		if made != 1 || lists(client) != 1 {
			t.Errorf("%d factories were made, ConfigMaps were listed %d times", made, lists(client))
		}
	})
}

func TestWhatARunningProgramAsksOfAFactoryIsStartedWhenItAddsTheFactoryAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(controller.ManagerOptions{})
		factory := controller.AddFactory(m, informers.NewSharedInformerFactory(inMemory(), 0))
		start(t, t.Context(), m)
		synctest.Wait()
		nodes := factory.Core().V1().Nodes().Lister()
		controller.AddFactory(m, factory)
		synctest.Wait()
		if _, err := nodes.Get("n"); err != nil {
			t.Error(err)
		}
		c := controller.New(m, "late", factory.Core().V1().ConfigMaps().TypedInformer(), nothing, controller.Options{})
		synctest.Wait()
		if c.Stats().Done != 1 {
			t.Errorf("the late controller has %+v", c.Stats())
		}
	})
}

// TestC28AFactoryThatIsAddedToARunningManagerIsNotTakenForAStranger at whatever moment the manager starts what
// was asked of it.
func TestC28AFactoryThatIsAddedToARunningManagerIsNotTakenForAStranger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(controller.ManagerOptions{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		for i := range 200 {
			client := inMemory()
			factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
			maps := factory.Core().V1().ConfigMaps().TypedInformer()
			for range i % 20 { // lets the manager come to different points
				runtime.Gosched()
			}
			c := controller.New(m, "c", maps, nothing, controller.Options{})
			synctest.Wait()
			if done := c.Stats().Done; done != 1 || lists(client) != 1 {
				t.Fatalf("round %d: %d reconciles, %d lists", i, done, lists(client))
			}
			c.Stop()
			<-c.Stopped()
		}
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
	})
}
