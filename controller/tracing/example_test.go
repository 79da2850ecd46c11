// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	"k8s.io/client-go/kubernetes"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// Clients that no manager has made are traced too.
func ExampleInstrument() {
	cleanUp := func(ctx context.Context, config *rest.Config, provider trace.TracerProvider) error {
		client := kubernetes.NewForConfigOrDie(tracing.Instrument(config, provider))
		ctx, span := provider.Tracer("example.com/my-tool").Start(ctx, "clean up")
		defer span.End() // each call with this ctx is a span below it
		return client.CoreV1().ConfigMaps("shop").Delete(ctx, "old", metav1.DeleteOptions{})
	}
	_ = cleanUp
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

// A trace goes from one object to the next, and links to others.
func ExampleLink() {
	apply := func(
		ctx context.Context, client appsclient.DeploymentInterface, live, other *appsv1.Deployment,
		desired *appsac.DeploymentApplyConfiguration, options metav1.ApplyOptions,
	) error {
		_, err := client.Apply(ctx, tracing.Inject(ctx, desired, live), options) // the object carries the trace of ctx
		tracing.Link(ctx, other)                                                 // links to the trace that other carries
		return err
	}
	_ = apply
}
