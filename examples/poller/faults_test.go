// SPDX-License-Identifier: Apache-2.0

package poller_test

import (
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/poller"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

func TestFaults(t *testing.T) {
	server := httptest.NewServer(&api{versions: map[string]string{"web": "1.0"}})
	t.Cleanup(server.Close)
	suite.Faults(t, faulttest.Program{
		Objects: []runtime.Object{&corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{poller.Label: "web"}},
		}},
	}, func(m *controller.Manager) error {
		_, err := poller.SetUp(m, poller.Options{URL: server.URL, Interval: 20 * time.Millisecond})
		return err
	})
}
