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
	"k8s.io/apimachinery/pkg/types"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"

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

// env is a namespace and an external system.
type env struct {
	*suite.Env
	external *store
	maps     coreclient.ConfigMapInterface
	start    func() *suite.Operator
}

func newEnv(t *testing.T) *env {
	e := &env{Env: suite.New(t, nil), external: &store{buckets: map[string]bool{}}}
	e.maps = e.Kube.CoreV1().ConfigMaps(e.Namespace)
	server := httptest.NewServer(e.external)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); http.DefaultClient.CloseIdleConnections() })
	options := controller.ManagerOptions{CallTimeouts: controller.CallTimeouts{External: 200 * time.Millisecond}}
	e.start = func() *suite.Operator {
		return e.Start(options, func(m *controller.Manager) error {
			_, err := bucket.SetUp(m, server.URL)
			return err
		})
	}
	return e
}

// create makes a ConfigMap with the label.
func (e *env) create(name string) {
	e.Helper()
	_, err := e.maps.Create(e.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{bucket.Label: "true"},
	}}, metav1.CreateOptions{})
	e.Must(err)
}

func (e *env) finalizers(name string) []string {
	e.Helper()
	cm, err := e.maps.Get(e.Context(), name, metav1.GetOptions{})
	e.Must(err)
	return cm.Finalizers
}

// delete deletes a ConfigMap.
func (e *env) delete(name string) {
	e.Helper()
	e.Must(e.maps.Delete(e.Context(), name, metav1.DeleteOptions{}))
}

func (e *env) awaitGone(name string) {
	e.Helper()
	e.Eventually("there is no ConfigMap", func() bool {
		_, err := e.maps.Get(e.Context(), name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

func TestABucketGoesBeforeItsConfigMap(t *testing.T) {
	e := newEnv(t)
	operator := e.start()
	e.create("a")
	e.Eventually("there is a bucket", e.external.has(e.Namespace+"/a"))

	e.external.hang(true)
	e.delete("a")
	e.Eventually("the clean-up was tried again after its time limit", e.external.called(3))
	if finalizers := e.finalizers("a"); !slices.Contains(finalizers, bucket.Finalizer) {
		t.Errorf("the finalizers are %q", finalizers)
	}
	operator.Stop() // the clean-up under way does not delay it

	e.external.hang(false)
	e.start()
	e.Eventually("there is no bucket", e.external.has())
	e.awaitGone("a")
}

// TestAConfigMapWithoutItsLabelLosesItsBucket, and can be deleted when nothing runs any more.
func TestAConfigMapWithoutItsLabelLosesItsBucket(t *testing.T) {
	e := newEnv(t)
	operator := e.start()
	e.create("a")
	e.create("b")
	e.Eventually("there are buckets", e.external.has(e.Namespace+"/a", e.Namespace+"/b"))
	_, err := e.maps.Patch(t.Context(), "a", types.MergePatchType, []byte(`{"metadata":{"labels":null}}`), metav1.PatchOptions{})
	e.Must(err)
	e.Eventually("there is no finalizer", func() bool { return len(e.finalizers("a")) == 0 })
	if !e.external.has(e.Namespace + "/b")() {
		t.Error("the other bucket is not alone")
	}
	operator.AtRest(func() {
		e.external.hang(false) // counts calls anew
		_, err := e.maps.Patch(t.Context(), "b", types.MergePatchType, []byte(`{"data":{"touched":"yes"}}`), metav1.PatchOptions{})
		e.Must(err)
		e.Eventually("b was reconciled", e.external.called(1))
	})
	operator.Stop()
	e.delete("a")
	e.awaitGone("a")
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	m := controller.NewManager(suite.New(t, nil).Config(), controller.ManagerOptions{})
	if _, err := bucket.SetUp(m, ""); err == nil || !strings.Contains(err.Error(), "address of the external system") {
		t.Errorf("it returned %v", err)
	}
}
