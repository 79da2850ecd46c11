// SPDX-License-Identifier: Apache-2.0

package bucket_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/bucket"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
)

func TestMain(m *testing.M) { suite.Main(m) }

// store is the external system.
type store struct {
	mu      sync.Mutex
	buckets map[string]bool
	hangs   bool // it does not answer
	calls   int
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls++
	hangs := s.hangs
	name := strings.TrimPrefix(r.URL.Path, "/")
	switch {
	case hangs:
	case r.Method == http.MethodPut:
		s.buckets[name] = true
	case !s.buckets[name]:
		w.WriteHeader(http.StatusNotFound)
	default:
		delete(s.buckets, name)
	}
	s.mu.Unlock()
	if hangs {
		<-r.Context().Done()
	}
}

func (s *store) hang(hangs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangs = hangs
	s.calls = 0
}

func (s *store) called(times int) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.calls >= times
	}
}

func (s *store) has(names ...string) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Equal(slices.Sorted(maps.Keys(s.buckets)), names)
	}
}

func TestABucketGoesBeforeItsConfigMap(t *testing.T) {
	e := suite.New(t, nil)
	external := &store{buckets: map[string]bool{}}
	server := httptest.NewServer(external)
	t.Cleanup(func() { server.Close(); http.DefaultClient.CloseIdleConnections() })
	options := controller.ManagerOptions{CallTimeouts: controller.CallTimeouts{External: 200 * time.Millisecond}}
	setUp := func(m *controller.Manager) error {
		_, err := bucket.SetUp(m, server.URL)
		return err
	}
	operator := e.Start(options, setUp)
	all := e.Kube.CoreV1().ConfigMaps(e.Namespace)
	_, err := all.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Name: "a", Labels: map[string]string{bucket.Label: "true"},
	}}, metav1.CreateOptions{})
	e.Must(err)
	e.Eventually("there is a bucket", external.has(e.Namespace+"-a"))

	external.hang(true)
	e.Must(all.Delete(t.Context(), "a", metav1.DeleteOptions{}))
	e.Eventually("the clean-up was tried again after its time limit", external.called(2))
	cm, err := all.Get(t.Context(), "a", metav1.GetOptions{})
	e.Must(err)
	if !slices.Contains(cm.Finalizers, bucket.Finalizer) {
		t.Errorf("the finalizers are %q", cm.Finalizers)
	}
	operator.Stop() // the clean-up under way does not delay it

	external.hang(false)
	e.Start(options, setUp)
	e.Eventually("there is no bucket", external.has())
	e.Eventually("there is no ConfigMap", func() bool {
		_, err := all.Get(t.Context(), "a", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}
