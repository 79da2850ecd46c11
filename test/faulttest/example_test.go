// SPDX-License-Identifier: Apache-2.0

package faulttest_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

// The test of an operator: setUp is the function that its program gives to controller.Main.
func Example() {
	test := func(t *testing.T, config *rest.Config, setUp func(m *controller.Manager, namespace string) error) {
		faulttest.Explore(t, config, faulttest.Program{
			Run: func(ctx context.Context, config *rest.Config, namespace string) error {
				m := controller.NewManager(config, controller.ManagerOptions{})
				if err := setUp(m, namespace); err != nil {
					return err
				}
				return m.Run(ctx)
			},
			Objects: []runtime.Object{&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web"}}},
		}, faulttest.Options{})
	}
	_ = test
}
