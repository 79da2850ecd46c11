// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
)

// counted is a configuration with its certificates in files, which counts its open connections.
func (e *env) counted() (config *rest.Config, open *atomic.Int64) {
	e.Helper()
	config = plane.Config()
	e.must(rest.LoadTLSFiles(config))
	dir := e.TempDir()
	for name, data := range map[string]*[]byte{"ca": &config.CAData, "cert": &config.CertData, "key": &config.KeyData} {
		e.must(os.WriteFile(filepath.Join(dir, name), *data, 0o600))
		*data = nil
	}
	config.CAFile, config.CertFile, config.KeyFile = filepath.Join(dir, "ca"), filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	config.QPS = -1
	open = &atomic.Int64{}
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return &countedConn{conn, sync.OnceFunc(func() { open.Add(-1) })}, nil
	}
	return config, open
}

type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// writing is a manager that leads, and whose items write. wrote receives the number of the term.
func (e *env) writing(config *rest.Config, wrote chan<- int) *controller.Manager {
	election := e.election
	election.Identity = "a"
	m := controller.NewManager(config, controller.ManagerOptions{LeaderElection: &election})
	kube := kubernetes.NewForConfigOrDie(m.Config())
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithNamespace(e.namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = writer.Target })))
	controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		term, _ := controller.TermFrom(ctx)
		_, err := kube.CoreV1().ConfigMaps(e.namespace).Patch(ctx, cm.Name, types.MergePatchType, []byte(`{"data":{"by":"a"}}`), metav1.PatchOptions{})
		if err == nil {
			wrote <- term.Number
		}
		return controller.Result{}, err
	}, controller.Options{})
	return m
}

// rotations returns the number of goroutines that read certificates for client-go's transports. Other
// tests of the process may have some, but not of files.
func rotations() int {
	stacks := make([]byte, 64<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "transport.(*dynamicClientCert).run(")
}

func TestNothingIsLeftOfAHundredManagers(t *testing.T) {
	e := newEnv(t, 1, steady)
	config, open := e.counted()
	for range 100 {
		wrote := make(chan int, 10)
		end := e.runManager(e.writing(config, wrote))
		<-wrote
		end()
		if n := open.Load(); n > 0 {
			t.Fatalf("%d connections are open after Run", n)
		}
	}
	eventually(t, "no goroutine reads certificates", func() error {
		runtime.GC()
		if n := rotations(); n > 0 {
			return fmt.Errorf("%d do", n)
		}
		return nil
	})
}

func TestNothingIsLeftOfAHundredTerms(t *testing.T) {
	const few, many = 5, 100
	e := newEnv(t, 1, steady)
	config, open := e.counted()
	wrote := make(chan int, 10*many)
	end := e.runManager(e.writing(config, wrote))
	defer end()
	var goroutines int
	for number := range many {
		for <-wrote < number {
		}
		if number == few {
			goroutines = runtime.NumGoroutine()
		}
		e.edit(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("") })
	}
	for <-wrote < many {
	}
	eventually(t, "a term adds no connection", func() error {
		// Watches, calls, calls of the term, and two for the Lease, one of which may be a new one.
		if n := open.Load(); n > 5 {
			return fmt.Errorf("%d are open", n)
		}
		return nil
	})
	eventually(t, "a term adds no goroutine", func() error {
		if n := runtime.NumGoroutine(); n > goroutines+10 {
			return fmt.Errorf("there are %d, and there were %d in term %d", n, goroutines, few)
		}
		return nil
	})
	if n := rotations(); n > 1 {
		t.Errorf("%d goroutines read certificates", n)
	}
}
