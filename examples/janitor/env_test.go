// SPDX-License-Identifier: Apache-2.0

package janitor_test

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apiextensionsclient "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/typed/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/janitor"
	"github.com/lanyard-k8s/lanyard/test/crds"
)

// env is a namespace in which the janitor works.
type env struct {
	*suite.Env
	operator    *suite.Operator
	definitions apiextensionsclient.CustomResourceDefinitionInterface
	objects     dynamic.Interface
}

func newEnv(t *testing.T) *env {
	e := connect(t)
	e.operator = e.Start(controller.ManagerOptions{}, func(m *controller.Manager) error {
		_, err := janitor.SetUp(m)
		return err
	})
	return e
}

// connect makes a namespace in which the janitor does not work yet.
func connect(t *testing.T) *env {
	e := &env{Env: suite.New(t, nil)}
	e.definitions = clientset.NewForConfigOrDie(e.Config()).ApiextensionsV1().CustomResourceDefinitions()
	e.objects = dynamic.NewForConfigOrDie(e.Config())
	return e
}

// kind is a kind that a test has defined.
type kind struct {
	*env
	definition, name string
	client           dynamic.ResourceInterface
}

// define defines a kind, by its name in small letters, and waits until it is served.
func (e *env) define(name string, labels map[string]string) *kind {
	e.Helper()
	const group = "test.example.com"
	plural := name + "s"
	definition := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group, Labels: labels},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: strings.ToUpper(name[:1]) + name[1:]},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object", XPreserveUnknownFields: ptr.To(true),
				}},
			}},
		},
	}
	e.Must(crds.InstallObjects(e.Context(), e.Config(), definition))
	resource := schema.GroupVersionResource{Group: group, Version: "v1", Resource: plural}
	k := &kind{env: e, definition: definition.Name, name: definition.Spec.Names.Kind}
	k.client = e.objects.Resource(resource).Namespace(e.Namespace)
	return k
}

// undefine deletes the definition, and waits until it is gone.
func (k *kind) undefine() {
	k.Helper()
	k.Must(k.definitions.Delete(k.Context(), k.definition, metav1.DeleteOptions{}))
	k.Eventually(k.definition+" is gone", func() bool {
		_, err := k.definitions.Get(k.Context(), k.definition, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

func (k *kind) label(labels map[string]string) {
	k.Helper()
	k.change(func(d *apiextensionsv1.CustomResourceDefinition) { d.Labels = labels })
}

func (k *kind) annotate(name, value string) {
	k.Helper()
	k.change(func(d *apiextensionsv1.CustomResourceDefinition) { d.Annotations = map[string]string{name: value} })
}

func (k *kind) change(edit func(*apiextensionsv1.CustomResourceDefinition)) {
	k.Helper()
	k.Must(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		definition, err := k.definitions.Get(k.Context(), k.definition, metav1.GetOptions{})
		if err != nil {
			return err
		}
		edit(definition)
		_, err = k.definitions.Update(k.Context(), definition, metav1.UpdateOptions{})
		return err
	}))
}

func (k *kind) create(name, lifetime string) {
	k.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"lifetime": lifetime}}}
	object.SetAPIVersion("test.example.com/v1")
	object.SetKind(k.name)
	object.SetName(name)
	_, err := k.client.Create(k.Context(), object, metav1.CreateOptions{})
	k.Must(err)
}

func (k *kind) update(name string, edit func(*unstructured.Unstructured)) {
	k.Helper()
	object, err := k.client.Get(k.Context(), name, metav1.GetOptions{})
	k.Must(err)
	edit(object)
	_, err = k.client.Update(k.Context(), object, metav1.UpdateOptions{})
	k.Must(err)
}

func (k *kind) exists(name string) bool {
	k.Helper()
	_, err := k.client.Get(k.Context(), name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		k.Must(err)
	}
	return err == nil
}

func (k *kind) awaitGone(name string) {
	k.Helper()
	k.Eventually(name+" is gone", func() bool { return !k.exists(name) })
}
