// SPDX-License-Identifier: Apache-2.0

// Package leadership_test shows on a real API server, mostly with replicas that are processes, that one
// leads at a time and that nobody else writes. What is true is what the API server's audit log says.
package leadership_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/gobuild"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
)

var (
	// plane is the control plane of this package's tests, with an audit log.
	plane    *controlplane.ControlPlane
	auditLog string
	binary   string // the replica's
)

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Prepare: prepare, Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

// prepare builds the replica, without the race detector: what is shown here needs speed, and in-process tests
// run the same code with it.
func prepare(ctx context.Context, root, dir string) (controlplane.Options, error) {
	// These tests mostly wait for leases to expire, and can do so together.
	if err := flag.Set("test.parallel", "16"); err != nil {
		return controlplane.Options{}, err
	}
	binary = filepath.Join(dir, "replica")
	if err := gobuild.Program(ctx, root, "test/e2e", "./leadership/replica", binary); err != nil {
		return controlplane.Options{}, err
	}
	auditLog = filepath.Join(dir, "audit.log")
	policy := filepath.Join(dir, "policy.yaml")
	return controlplane.Options{APIServerArgs: map[string][]string{
		"audit-policy-file":              {policy},
		"audit-log-path":                 {auditLog},
		"audit-log-maxsize":              {"10000"}, // no rotation
		"max-requests-inflight":          {"0"},     // a thousand calls are outstanding in one of the tests
		"max-mutating-requests-inflight": {"0"},
		"enable-priority-and-fairness":   {"false"},
	}}, os.WriteFile(policy, []byte(auditPolicy), 0o600)
}

// env is a namespace with objects to write, and a Lease to write by.
type env struct {
	*testing.T
	namespace string
	admin     kubernetes.Interface
	election  controller.LeaderElection // but for the identity
	workers   int

	auditRead int64 // how far
	audited   []*audited
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

var environments atomic.Int64

// short are times for tests that wait for a lease to expire; steady are for those that end a term by hand, and
// must not lose another because the machine is too busy to renew it.
var (
	short  = controller.LeaderElection{LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 500 * time.Millisecond, Name: "lead"}
	steady = controller.LeaderElection{LeaseDuration: 12 * time.Second, RenewDeadline: 8 * time.Second, RetryPeriod: 500 * time.Millisecond, Name: "lead"}
)

func newEnv(t *testing.T, targets int, election controller.LeaderElection) *env {
	t.Helper()
	e := &env{T: t, namespace: fmt.Sprintf("lead-%d", environments.Add(1)), admin: newClient(plane.Config()), election: election, workers: targets}
	e.election.Namespace = e.namespace
	e.must(e.fill(targets))
	return e
}

func (e *env) fill(targets int) error {
	_, err := e.admin.CoreV1().Namespaces().Create(e.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.namespace}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = versioned.NewForConfigOrDie(plane.Config()).WardleV1beta1().Flunders(e.namespace).Create(e.Context(),
		&v1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Name: writer.Status}, Spec: v1beta1.FlunderSpec{Image: "registry.example.com/app:v1"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(16)
	for i := range targets {
		g.Go(func() error {
			_, err := e.admin.CoreV1().ConfigMaps(e.namespace).Create(e.Context(), &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("target-%d", i), Labels: map[string]string{"leadership-test": "target"}},
			}, metav1.CreateOptions{})
			return err
		})
	}
	return g.Wait()
}

func newClient(config *rest.Config) kubernetes.Interface {
	config.QPS = -1
	return kubernetes.NewForConfigOrDie(config)
}

// options are those of a writer in this namespace.
func (e *env) options(name string) writer.Options {
	election := e.election
	election.Identity = name
	return writer.Options{Agent: "replica/" + e.namespace + "/" + name, Namespace: e.namespace, Election: election, Workers: e.workers, Pause: 20 * time.Millisecond}
}

// kubeconfig is a file with a config.
func kubeconfig(t *testing.T, config *rest.Config) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := controlplane.WriteKubeconfig(path, config); err != nil {
		t.Fatal(err)
	}
	return path
}

// eventually waits for what comes about in its own time.
func eventually(t testing.TB, what string, holds func() error) {
	t.Helper()
	suite.Within(t, 2*time.Minute, what, holds)
}

// distribution prints times.
func distribution(times []time.Duration) string {
	if len(times) == 0 {
		return "none"
	}
	slices.Sort(times)
	at := func(p int) time.Duration { return times[(len(times)-1)*p/100].Round(100 * time.Microsecond) }
	return fmt.Sprintf("n %d, p50 %v, p90 %v, max %v", len(times), at(50), at(90), at(100))
}

// quiet has nothing logged.
func quiet(ctx context.Context) context.Context { return klog.NewContext(ctx, logr.Discard()) }
