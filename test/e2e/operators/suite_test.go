// SPDX-License-Identifier: Apache-2.0

package operators_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// plane is the control plane of this package's tests.
var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

var namespaces atomic.Int64

// env is a test with a namespace of its own.
type env struct {
	testing.TB
	admin     kubernetes.Interface
	namespace string
}

func newEnv(t testing.TB) *env {
	t.Helper()
	e := &env{TB: t, admin: kubernetes.NewForConfigOrDie(unlimited(plane.Config()))}
	e.namespace = e.addNamespace()
	return e
}

func (e *env) addNamespace() string {
	e.Helper()
	name := fmt.Sprintf("operators-%d", namespaces.Add(1))
	_, err := e.admin.CoreV1().Namespaces().Create(e.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		e.Fatal(err)
	}
	return name
}

func (e *env) addConfigMap(namespace, name string) {
	e.Helper()
	_, err := e.admin.CoreV1().ConfigMaps(namespace).Create(e.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		e.Fatal(err)
	}
}

func unlimited(config *rest.Config) *rest.Config {
	config.QPS = -1
	return config
}

// running is a manager whose Run is under way.
type running struct {
	*controller.Manager
	env  *env
	stop func()
	done chan struct{}
	err  error
}

// run runs a manager until the test or end ends it.
func (e *env) run(m *controller.Manager) *running {
	e.Helper()
	ctx, stop := contextOf(e)
	r := &running{Manager: m, env: e, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = m.Run(ctx)
	}()
	e.Cleanup(r.end)
	return r
}

// end ends the manager, which must not have failed.
func (r *running) end() {
	r.env.Helper()
	r.stop()
	<-r.done
	if r.err != nil {
		r.env.Errorf("Run returned %v", r.err)
	}
	r.err = nil
}
