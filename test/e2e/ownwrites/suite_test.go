// SPDX-License-Identifier: Apache-2.0

// Package ownwrites_test has the tests of reconciles that follow on writes of their own, against a real
// kube-apiserver whose watches lag.
package ownwrites_test

import (
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/wire"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

// program is a manager with clients and informers of one namespace.
type program struct {
	*controller.Manager
	client    kubernetes.Interface
	factory   informers.SharedInformerFactory
	namespace string
	log       *output.Buffer
}

// newProgram makes a program whose requests pass a wrapper; nil for none.
func newProgram(t *testing.T, wrap *wire.Wire) *program {
	t.Helper()
	return newProgramWith(t, wrap, controller.ManagerOptions{})
}

func newProgramWith(t *testing.T, wrap *wire.Wire, options controller.ManagerOptions) *program {
	t.Helper()
	config := rest.CopyConfig(plane.Config())
	if wrap != nil {
		config.Wrap(wrap.Around)
	}
	m := controller.NewManager(config, options)
	p := &program{Manager: m, client: kubernetes.NewForConfigOrDie(m.Config()), namespace: suite.Namespace(t, plane, "writes-")}
	p.factory = controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(
		p.client, 0, informers.WithNamespace(p.namespace)))
	return p
}

// start runs the manager until the test ends. It must not fail.
func (p *program) start(t *testing.T) {
	t.Helper()
	log, stop := suite.Start(t, p.Manager)
	p.log = log
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}

func admin() kubernetes.Interface { return kubernetes.NewForConfigOrDie(plane.Config()) }

// parent makes the ConfigMap a for a program's controller.
func (p *program) parent(t *testing.T) {
	t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"parent": "true"}}}
	if _, err := admin().CoreV1().ConfigMaps(p.namespace).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
