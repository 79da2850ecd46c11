// SPDX-License-Identifier: Apache-2.0

package orphantest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/orphantest"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deaf is an API server that answers nothing.
type deaf struct{}

func (deaf) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no answer") }

// recorder is a test of a user's.
type recorder struct {
	cleanups []func()
	over     bool
	failures []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

// Errorf panics after the end, as that of the package testing does.
func (r *recorder) Errorf(format string, args ...any) {
	if r.over {
		panic("Log in goroutine after the test has completed")
	}
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// end ends the test, and returns why it failed.
func (r *recorder) end() []string {
	for _, f := range r.cleanups {
		f()
	}
	r.over = true
	return r.failures
}

// atWork runs a manager with a runnable that makes calls with the context of some other thing.
func atWork(t *testing.T) (*controller.Manager, kubernetes.Interface) {
	m := controller.NewManager(&rest.Config{Transport: deaf{}}, controller.ManagerOptions{})
	client := kubernetes.NewForConfigOrDie(m.Config())
	get(t.Context(), client) // belongs to the set-up
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	return m, client
}

func get(ctx context.Context, client kubernetes.Interface) {
	_, _ = client.CoreV1().ConfigMaps("n").Get(ctx, "c", metav1.GetOptions{})
}

func TestC21ATestFailsOnceForEachLineThatMakesOrphansOfItsOwnManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, client := atWork(t)
		other, otherClient := atWork(t)
		own, others, none := &recorder{}, &recorder{}, &recorder{}
		orphantest.Check(own, m)
		orphantest.Check(others, other)
		orphantest.Check(none, m, func(o report.Orphan) bool { return strings.Contains(o.At, "orphantest_test.go:") })
		for range 3 {
			_, _ = client.CoreV1().ConfigMaps("n").List(t.Context(), metav1.ListOptions{}) // is what is wrong here
		}
		_, _, line, _ := runtime.Caller(0)                                        // two lines below the call
		_, _ = client.CoreV1().Nodes().Get(t.Context(), "x", metav1.GetOptions{}) // and here
		want := fmt.Sprintf("orphantest_test.go:%d: list configmaps in n with a context from outside the manager\n"+
			"orphantest_test.go:%d: get nodes x with a context from outside the manager", line-2, line+1)
		var got []string
		for _, failure := range own.end() {
			got = append(got, failure[strings.LastIndex(failure, "/")+1:])
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("it failed with %q, want\n%s", got, want)
		}
		if failures := others.end(); len(failures) > 0 {
			t.Errorf("the test of another manager failed: %v", failures)
		}
		if failures := none.end(); len(failures) > 0 {
			t.Errorf("what is excepted was told: %v", failures)
		}
		get(t.Context(), client) // after the end of the tests, which must not hear of it
		get(t.Context(), otherClient)
	})
}
