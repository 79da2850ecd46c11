// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"context"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Env is a new namespace for one test, and the clients of the user who works in it.
type Env struct {
	*testing.T
	Namespace string
	Kube      kubernetes.Interface

	// Wrap is put between an operator and the API server. Default: nothing.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// New makes a namespace with the given labels.
func New(t *testing.T, labels map[string]string) *Env {
	t.Helper()
	e := &Env{T: t, Kube: kubernetes.NewForConfigOrDie(plane.Config())}
	e.Namespace = e.NewNamespace(labels)
	return e
}

// NewNamespace makes one more namespace, and returns its name.
func (e *Env) NewNamespace(labels map[string]string) string {
	e.Helper()
	made, err := e.Kube.CoreV1().Namespaces().Create(e.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Labels: labels},
	}, metav1.CreateOptions{})
	e.Must(err)
	return made.Name
}

// Config is the configuration of an administrator.
func (e *Env) Config() *rest.Config { return plane.Config() }

// Must ends the test if there is an error.
func (e *Env) Must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// Eventually waits for what others bring about in their own time.
func (e *Env) Eventually(what string, holds func() bool) {
	e.Helper()
	err := wait.PollUntilContextTimeout(e.Context(), 20*time.Millisecond, time.Minute, true,
		func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		e.Fatalf("not so within a minute: %s", what)
	}
}

// AwaitGoroutines waits until there are no more than n goroutines. If that does not come about, it says
// what they do.
func (e *Env) AwaitGoroutines(n int) {
	e.Helper()
	defer func() {
		if e.Failed() {
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		}
	}()
	e.Eventually("no goroutine is left", func() bool { return runtime.NumGoroutine() <= n })
}
