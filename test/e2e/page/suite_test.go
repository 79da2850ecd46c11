// SPDX-License-Identifier: Apache-2.0

// Package page_test has the tests of what a program serves of itself, and to whom, against a real kube-apiserver.
package page_test

import (
	"context"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{
		Prepare: func(ctx context.Context, root, dir string) (controlplane.Options, error) {
			return controlplane.Options{}, buildTool(ctx, root, dir)
		},
		Started: func(p *controlplane.ControlPlane) { plane = p },
	}))
}

// secrets adds a controller of Secrets to a manager. It copies each into another Secret, and fails with an error that
// has the content.
func secrets(m *controller.Manager, namespace string) error {
	client, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return err
	}
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace)))
	controller.New(m, "secrets", factory.Core().V1().Secrets().TypedInformer(),
		func(ctx context.Context, secret *corev1.Secret) (controller.Result, error) {
			if secret.Labels["copy"] != "" {
				return controller.Result{}, nil
			}
			copied := &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Name: secret.Name + "-copy", Labels: map[string]string{"copy": "yes"}}, Data: secret.Data,
			}
			_, err := client.CoreV1().Secrets(namespace).Create(ctx, copied, metav1.CreateOptions{})
			if err == nil {
				err = &badContent{secret.Data}
			}
			return controller.Result{}, err
		}, controller.Options{})
	return nil
}

// badContent is an error whose text has the content.
type badContent struct{ data map[string][]byte }

func (e *badContent) Error() string { return "cannot parse " + string(e.data["password"]) }
