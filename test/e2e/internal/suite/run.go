// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
)

// Start runs a manager until the test ends, or stop is called. stop returns what Run has returned.
func Start(t *testing.T, m *controller.Manager) (log *output.Buffer, stop func() error) {
	t.Helper()
	log = &output.Buffer{}
	ctx, end := context.WithCancel(klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewTextHandler(log, nil))))
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	stop = sync.OnceValue(func() error { end(); return <-done })
	t.Cleanup(func() { _ = stop() })
	return log, stop
}

// Eventually waits until something holds. It fails after a minute, with the last error.
func Eventually(t testing.TB, what string, holds func() error) {
	t.Helper()
	Within(t, time.Minute, what, holds)
}

// Within waits until something holds. It fails after limit, with the last error.
func Within(t testing.TB, limit time.Duration, what string, holds func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, limit, true,
		func(context.Context) (bool, error) { last = holds(); return last == nil, nil })
	if err != nil {
		t.Fatalf("not so within %v: %s: %v", limit, what, last)
	}
}

// Namespace makes a namespace and returns its name, which begins with prefix.
func Namespace(t *testing.T, plane *controlplane.ControlPlane, prefix string) string {
	t.Helper()
	ns, err := kubernetes.NewForConfigOrDie(plane.Config()).CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return ns.Name
}
