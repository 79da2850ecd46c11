// SPDX-License-Identifier: Apache-2.0

package poller_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/poller"
)

func TestMain(m *testing.M) { suite.Main(m) }

// api is the HTTP API. It is down while it has no versions.
type api struct {
	mu       sync.Mutex
	versions map[string]string
	polls    int
	hangs    bool // it does not answer
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.polls++
	if a.hangs {
		a.mu.Unlock()
		<-r.Context().Done()
		a.mu.Lock()
		return
	}
	if a.versions == nil {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	_ = json.NewEncoder(w).Encode(a.versions)
}

func (a *api) set(versions map[string]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.versions = versions
	a.polls = 0
}

func (a *api) polled(times int) func() bool {
	return func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.polls >= times
	}
}

func TestConfigMapsFollowTheVersionsOfTheAPI(t *testing.T) {
	e := suite.New(t, nil)
	versions := &api{}
	server := httptest.NewServer(versions)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); http.DefaultClient.CloseIdleConnections() })
	for _, name := range []string{"web", "db"} {
		_, err := e.Kube.CoreV1().ConfigMaps(e.Namespace).Create(t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{poller.Label: name}},
		}, metav1.CreateOptions{})
		e.Must(err)
	}
	operator := e.Start(controller.ManagerOptions{}, func(m *controller.Manager) error {
		_, err := poller.SetUp(m, poller.Options{URL: server.URL, Interval: 20 * time.Millisecond})
		return err
	})
	has := func(name, want string) {
		t.Helper()
		e.Eventually(name+" has "+want, func() bool {
			cm, err := e.Kube.CoreV1().ConfigMaps(e.Namespace).Get(t.Context(), name, metav1.GetOptions{})
			e.Must(err)
			return cm.Data[poller.Key] == want
		})
	}
	e.Eventually("the API was polled while it was down", versions.polled(3))
	versions.set(map[string]string{"web": "1", "db": "7"})
	has("web", "1")
	has("db", "7")
	versions.set(map[string]string{"web": "2", "db": "7"})
	has("web", "2")
	operator.AtRest(func() {
		versions.set(nil)
		e.Eventually("the API was polled while it was down", versions.polled(3))
		versions.set(map[string]string{"web": "2", "db": "7"})
		e.Eventually("the API was polled", versions.polled(5))
	})
}

// TestAPollThatIsNotAnsweredDoesNotDelayTheEnd: suite.Operator.Stop fails if it does.
func TestAPollThatIsNotAnsweredDoesNotDelayTheEnd(t *testing.T) {
	e := suite.New(t, nil)
	versions := &api{hangs: true}
	server := httptest.NewServer(versions)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); http.DefaultClient.CloseIdleConnections() })
	operator := e.Start(controller.ManagerOptions{}, func(m *controller.Manager) error {
		_, err := poller.SetUp(m, poller.Options{URL: server.URL, Interval: time.Hour})
		return err
	})
	e.Eventually("a poll is under way", versions.polled(1))
	operator.Stop()
}

func TestOptionsThatAreWrongAreRefusedWithWhatToWrite(t *testing.T) {
	m := controller.NewManager(suite.New(t, nil).Config(), controller.ManagerOptions{})
	for want, options := range map[string]poller.Options{
		"address of the API":  {Interval: time.Second},
		"set it to more than": {URL: "http://localhost"},
	} {
		if _, err := poller.SetUp(m, options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: it returned %v, want %q in it", options, err, want)
		}
	}
}
