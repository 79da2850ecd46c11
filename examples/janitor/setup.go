// SPDX-License-Identifier: Apache-2.0

// Package janitor deletes objects whose lifetime is over, of any kind: each CustomResourceDefinition
// with a label gets a controller of its own, which is added to the running manager and is stopped when
// the definition goes. It is an example of unstructured objects, and of what comes and goes at run
// time.
package janitor

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/scheme"
	"k8s.io/apiextensions-apiserver/pkg/client/informers/externalversions"
	"k8s.io/client-go/dynamic"

	"github.com/lanyard-k8s/lanyard/controller"
)

const (
	// Enabled is the label of a CustomResourceDefinition that has the janitor take care of its objects;
	// its value is "true".
	Enabled = "janitor.example.com/enabled"
	// LifetimeField is an annotation of the definition. It names the field that has an object's lifetime,
	// as a duration such as "36h". Default: spec.lifetime.
	LifetimeField = "janitor.example.com/lifetime-field"
)

// SetUp adds the controller of the definitions to a manager.
//
// That controller writes nothing, so it works on every replica. Those that it adds delete, so they work
// in terms of leadership. If it worked in terms too, a replica that does not lead would not see that a
// definition goes, and would keep its controller.
func SetUp(m *controller.Manager) (*controller.Controller[*apiextensionsv1.CustomResourceDefinition], error) {
	definitions, err := clientset.NewForConfig(m.Config())
	if err != nil {
		return nil, err
	}
	objects, err := dynamic.NewForConfig(m.Config())
	if err != nil {
		return nil, err
	}
	m.AddScheme(scheme.Scheme)
	factory := controller.AddFactory(m, externalversions.NewSharedInformerFactory(definitions, 0))
	k := &kinds{manager: m, client: objects, running: map[string]*runningKind{}}
	return controller.New(m, "definitions",
		factory.Apiextensions().V1().CustomResourceDefinitions().TypedInformer(), k.reconcile,
		controller.Options{EveryReplica: true, OnDeleted: k.onDeleted}), nil
}
