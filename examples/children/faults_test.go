// SPDX-License-Identifier: Apache-2.0

package children_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/children"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

func TestFaults(t *testing.T) {
	suite.Faults(t, faulttest.Program{
		NamespaceLabels: map[string]string{children.Enabled: "true"},
		Objects:         []runtime.Object{&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}},
		SetUp: func(ctx context.Context, config *rest.Config, namespace string) error {
			kube := kubernetes.NewForConfigOrDie(config)
			owner, err := kube.CoreV1().ConfigMaps(namespace).Get(ctx, "a", metav1.GetOptions{})
			if err != nil {
				return err
			}
			_, err = kube.CoreV1().Secrets(namespace).Create(ctx, secretOf(owner), metav1.CreateOptions{})
			return err
		},
	}, func(m *controller.Manager) error {
		_, err := children.SetUp(m)
		return err
	})
}
