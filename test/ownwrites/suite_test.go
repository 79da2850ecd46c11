// SPDX-License-Identifier: Apache-2.0

// Package ownwrites_test has the tests of reconciles that follow on writes of their own, against a real
// kube-apiserver whose watches lag.
package ownwrites_test

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/internal/output"
	"github.com/lanyard-k8s/lanyard/test/internal/suite"
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
func newProgram(t *testing.T, wrap *wire) *program {
	t.Helper()
	config := rest.CopyConfig(plane.Config())
	if wrap != nil {
		config.Wrap(wrap.around)
	}
	m := controller.NewManager(config, controller.ManagerOptions{})
	p := &program{Manager: m, client: kubernetes.NewForConfigOrDie(m.Config()), namespace: namespace(t), log: &output.Buffer{}}
	p.factory = controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(
		p.client, 0, informers.WithNamespace(p.namespace)))
	return p
}

// start runs the manager until the test ends.
func (p *program) start(t *testing.T) {
	t.Helper()
	ctx, end := context.WithCancel(klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewTextHandler(p.log, nil))))
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(sync.OnceFunc(func() {
		end()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	}))
}

func namespace(t *testing.T) string {
	t.Helper()
	ns, err := admin().CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "writes-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return ns.Name
}

func admin() kubernetes.Interface { return kubernetes.NewForConfigOrDie(plane.Config()) }

// parent makes a ConfigMap for a program's controller.
func (p *program) parent(t *testing.T, name string) {
	t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"parent": "true"}}}
	if _, err := admin().CoreV1().ConfigMaps(p.namespace).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, time.Minute, true,
		func(context.Context) (bool, error) { last = holds(); return last == nil, nil })
	if err != nil {
		t.Fatalf("not so within a minute: %s: %v", what, last)
	}
}
