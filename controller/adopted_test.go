// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned/fake"
	"github.com/lanyard-k8s/lanyard/controller"
	wardleinformers "github.com/lanyard-k8s/lanyard/informers/externalversions"
)

// TestC30AListersInformerGetsTheKindThatALaterControllerStates in a program that has not added the scheme of its
// clientset: a lister alone needs no kind.
func TestC30AListersInformerGetsTheKindThatALaterControllerStates(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := fake.NewClientset(&v1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "owner"}})
		m := newManager(controller.ManagerOptions{})
		factory := controller.AddFactory(m, wardleinformers.NewSharedInformerFactory(client, 0))
		flunders := factory.Wardle().V1beta1().Flunders()
		_ = flunders.Lister()
		start(t, t.Context(), m)
		synctest.Wait()

		w := newWorld(t)
		counts := newWoken("owner")
		c := controller.New(m, "late", flunders.TypedInformer(), reconcileOf[*v1beta1.Flunder](counts), controller.Options{},
			controller.WithKind[*v1beta1.Flunder](schema.GroupKind{Group: v1beta1.GroupName, Kind: "Flunder"}))
		controller.Owns(c, w.informer())
		counts.expect(t, "at the start", map[string]int32{"owner": 1})
		for name, group := range map[string]string{"a": v1beta1.GroupName, "b": "other.example.com"} {
			owned := configMap(name)
			owned.OwnerReferences = customObject(appKind, "x", group+"/v1beta1", "Flunder", "owner").GetOwnerReferences()
			w.Add(owned)
		}
		counts.expect(t, "one of two has the kind of the owner", map[string]int32{"owner": 2})
		if err := m.Ready(); err != nil {
			t.Error(err)
		}
	})
}
