// SPDX-License-Identifier: Apache-2.0

package bucket_test

import (
	"net/http/httptest"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/bucket"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

func TestFaults(t *testing.T) {
	server := httptest.NewServer(&store{buckets: map[string]bool{}})
	t.Cleanup(server.Close)
	suite.Faults(t, faulttest.Program{
		Objects: []runtime.Object{&corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{bucket.Label: "true"}},
		}},
	}, func(m *controller.Manager) error {
		_, err := bucket.SetUp(m, server.URL)
		return err
	})
}
