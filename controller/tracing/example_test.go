// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// Clients that no manager has made are traced too.
func ExampleInstrument() {
	newClient := func(config *rest.Config, provider trace.TracerProvider) (*kubernetes.Clientset, error) {
		return kubernetes.NewForConfig(tracing.Instrument(config, provider))
	}
	_ = newClient
}

// The controller of the Deployment can link its reconcile to the one that applied it.
func ExampleInject() {
	apply := func(ctx context.Context, client kubernetes.Interface, live *appsv1.Deployment) error {
		desired := appsac.Deployment("name", "namespace").WithLabels(map[string]string{"app": "name"})
		_, err := client.AppsV1().Deployments("namespace").Apply(ctx, tracing.Inject(ctx, desired, live), metav1.ApplyOptions{FieldManager: "me"})
		return err
	}
	_ = apply
}
