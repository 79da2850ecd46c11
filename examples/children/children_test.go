// SPDX-License-Identifier: Apache-2.0

package children_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/children"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
)

func TestMain(m *testing.M) { suite.Main(m) }

type env struct{ *suite.Env }

// add makes a ConfigMap with a Secret of its own.
func (e env) add(namespace, name string) {
	e.Helper()
	cm, err := e.Kube.CoreV1().ConfigMaps(namespace).Create(e.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	e.Must(err)
	_, err = e.Kube.CoreV1().Secrets(namespace).Create(e.Context(), secretOf(cm), metav1.CreateOptions{})
	e.Must(err)
}

// secretOf is a Secret that a ConfigMap owns.
func secretOf(cm *corev1.ConfigMap) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Name: cm.Name, OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "v1", Kind: "ConfigMap", Name: cm.Name, UID: cm.UID, Controller: ptr.To(true),
		}},
	}}
}

func (e env) counts(namespace, name, want string) {
	e.Helper()
	e.Eventually(namespace+"/"+name+" counts "+want, func() bool {
		cm, err := e.Kube.CoreV1().ConfigMaps(namespace).Get(e.Context(), name, metav1.GetOptions{})
		e.Must(err)
		return cm.Annotations[children.Count] == want
	})
}

// enable puts the label on a namespace, or takes it off.
func (e env) enable(namespace, value string) {
	e.Helper()
	patch := `{"metadata":{"labels":{"` + children.Enabled + `":` + value + `}}}`
	_, err := e.Kube.CoreV1().Namespaces().Patch(e.Context(), namespace, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	e.Must(err)
}

func TestSecretsAreCountedInTheNamespacesThatHaveTheLabel(t *testing.T) {
	e := env{suite.New(t, map[string]string{children.Enabled: "true"})}
	other := e.NewNamespace(nil)
	e.add(e.Namespace, "a")
	e.add(other, "a")
	var c *controller.Controller[*corev1.ConfigMap]
	operator := e.Start(controller.ManagerOptions{}, func(m *controller.Manager) (err error) {
		c, err = children.SetUp(m)
		return err
	})
	e.counts(e.Namespace, "a", "1")
	e.add(e.Namespace, "b")
	e.counts(e.Namespace, "b", "1")
	e.counts(other, "a", "")

	e.enable(other, `"true"`)
	e.counts(other, "a", "1")
	e.Must(e.Kube.CoreV1().Secrets(other).Delete(t.Context(), "a", metav1.DeleteOptions{}))
	e.counts(other, "a", "0")

	e.enable(e.Namespace, "null")
	e.enable(other, "null")
	operator.AtRest(func() {
		e.add(other, "b") // nobody counts there any more
		before := c.Stats().Done
		third := e.NewNamespace(map[string]string{children.Enabled: "true"})
		_, err := e.Kube.CoreV1().ConfigMaps(third).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "without"}}, metav1.CreateOptions{})
		e.Must(err)
		e.Eventually("it was looked at", func() bool { return c.Stats().Done > before })
	})
	e.counts(other, "b", "")
}

// TestSecretsThatAreNotInTheCacheYetAreNotMissed: the Secrets of a namespace come after its ConfigMaps.
func TestSecretsThatAreNotInTheCacheYetAreNotMissed(t *testing.T) {
	e := env{suite.New(t, nil)}
	e.add(e.Namespace, "a")
	e.Wrap = func(next http.RoundTripper) http.RoundTripper { return &slow{next} }
	var c *controller.Controller[*corev1.ConfigMap]
	operator := e.Start(controller.ManagerOptions{}, func(m *controller.Manager) (err error) {
		c, err = children.SetUp(m)
		return err
	})
	e.enable(e.Namespace, `"true"`)
	e.counts(e.Namespace, "a", "1")
	e.enable(e.Namespace, "null")
	operator.AtRest(func() {
		before := c.Stats().Done
		e.enable(e.Namespace, `"true"`) // the count is right already
		e.Eventually("it was looked at", func() bool { return c.Stats().Done > before })
	})
}

// slow delays what is read of Secrets.
type slow struct{ http.RoundTripper }

func (s *slow) WrappedRoundTripper() http.RoundTripper { return s.RoundTripper }

func (s *slow) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.HasSuffix(request.URL.Path, "/secrets") {
		time.Sleep(300 * time.Millisecond)
	}
	return s.RoundTripper.RoundTrip(request)
}
