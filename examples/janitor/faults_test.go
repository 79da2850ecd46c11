// SPDX-License-Identifier: Apache-2.0

package janitor_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/janitor"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

func TestFaults(t *testing.T) {
	definition := connect(t).define("mayfly", map[string]string{janitor.Enabled: "true"})
	defer definition.undefine()
	suite.Faults(t, faulttest.Program{
		Objects: []runtime.Object{&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "test.example.com/v1", "kind": "Mayfly", "metadata": map[string]any{"name": "a"},
			"spec": map[string]any{"lifetime": "1ms"},
		}}},
	}, func(m *controller.Manager) error {
		_, err := janitor.SetUp(m)
		return err
	})
}
