// SPDX-License-Identifier: Apache-2.0

package ownwrites_test

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/wire"
)

// labelNumber is the number of a child among its parent's.
const labelNumber = "number"

// family is a program whose controller makes children for each ConfigMap that is a parent, one at each
// reconcile, until its cache shows so many. It does nothing for other ConfigMaps.
type family struct {
	*program
	controller *controller.Controller[*corev1.ConfigMap]
	// creating is called before a child is made. Nil: nothing is.
	creating func()

	mu         sync.Mutex
	reconciles map[string]int
	grown      map[string]bool // the parents of which the cache has shown all children
}

func newFamily(t *testing.T, w *wire.Wire, children int, options controller.Options) *family {
	t.Helper()
	f := &family{program: newProgram(t, w), reconciles: map[string]int{}, grown: map[string]bool{}}
	secrets := f.factory.Core().V1().Secrets()
	f.controller = controller.New(f.Manager, "parents", f.factory.Core().V1().ConfigMaps().TypedInformer(),
		func(ctx context.Context, parent *corev1.ConfigMap) (controller.Result, error) {
			if parent.Labels["parent"] == "" {
				f.note(parent.Name, false)
				return controller.Result{}, nil
			}
			known, err := secrets.Lister().Secrets(f.namespace).List(labels.Set{"of": parent.Name}.AsSelector())
			f.note(parent.Name, len(known) >= children)
			if err != nil || len(known) >= children {
				return controller.Result{}, err
			}
			if f.creating != nil {
				f.creating()
			}
			_, err = f.client.CoreV1().Secrets(f.namespace).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
				GenerateName: parent.Name + "-", Labels: map[string]string{"of": parent.Name, labelNumber: strconv.Itoa(len(known))},
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(parent, corev1.SchemeGroupVersion.WithKind("ConfigMap"))},
			}}, metav1.CreateOptions{})
			return controller.Result{RequeueAfter: time.Millisecond}, err // long before the cache shows it
		}, options)
	controller.Owns(f.controller, secrets.TypedInformer())
	return f
}

func (f *family) note(name string, grown bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reconciles[name]++
	f.grown[name] = grown
}

// counts returns how often each ConfigMap was reconciled.
func (f *family) counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.reconciles)
}

// create makes ConfigMaps.
func (f *family) create(t *testing.T, names []string, labels map[string]string) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(8)
	client := admin().CoreV1().ConfigMaps(f.namespace)
	for _, name := range names {
		group.Go(func() error {
			_, err := client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// enqueue has ConfigMaps reconciled.
func (f *family) enqueue(t *testing.T, names []string) {
	t.Helper()
	for _, name := range names {
		f.controller.Enqueue(t.Context(), "test", controller.Request{Namespace: f.namespace, Name: name})
	}
}

// reconciled waits until each ConfigMap was reconciled so many times.
func (f *family) reconciled(t *testing.T, names []string, times int) {
	t.Helper()
	suite.Eventually(t, fmt.Sprint("each is reconciled ", times, " times"), func() error {
		counts := f.counts()
		for _, name := range names {
			if counts[name] < times {
				return fmt.Errorf("%s: %d times", name, counts[name])
			}
		}
		return nil
	})
}

// grow waits until the cache has shown all children of each parent.
func (f *family) grow(t *testing.T, names []string) {
	t.Helper()
	suite.Eventually(t, "the cache shows all children", func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, name := range names {
			if !f.grown[name] {
				return fmt.Errorf("not those of %s, after %d reconciles", name, f.reconciles[name])
			}
		}
		return nil
	})
}

// each checks that there is one child of each number on the API server.
func (f *family) each(t *testing.T, names []string, children int) {
	t.Helper()
	list, err := admin().CoreV1().Secrets(f.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: labelNumber})
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]int{}
	for i := range list.Items {
		made[list.Items[i].Labels["of"]+" "+list.Items[i].Labels[labelNumber]]++
	}
	for _, name := range names {
		for number := range children {
			if n := made[fmt.Sprint(name, " ", number)]; n != 1 {
				t.Errorf("%s has the child %d %d times", name, number, n)
			}
		}
	}
	if len(made) != len(names)*children {
		t.Errorf("%d different children", len(made))
	}
}

func numbered(prefix string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint(prefix, i))
	}
	return names
}

func asParents() map[string]string { return map[string]string{"parent": "true"} }
