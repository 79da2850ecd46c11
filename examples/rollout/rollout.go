// SPDX-License-Identifier: Apache-2.0

// Package rollout rolls a Deployment out again when a Secret that it uses has changed. It is an example
// of a controller with two kinds and an index that leads from the one to the other.
package rollout

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

const (
	// Enabled is the annotation with which a Deployment asks for roll-outs; its value is "true".
	Enabled = "rollout.example.com/on-secret-change"
	// Checksum is the annotation of the pod template. A new value makes a new roll-out.
	Checksum = "rollout.example.com/secrets"

	fieldManager = "rollout-example"
)

type reconciler struct {
	client   appsclient.DeploymentsGetter
	secrets  corelisters.SecretLister
	bySecret cache.TypedIndexer[*appsv1.Deployment]
}

// SetUp adds the controller to a manager.
func SetUp(m *controller.Manager) (*controller.Controller[*appsv1.Deployment], error) {
	client, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return nil, err
	}
	factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
	deployments := factory.Apps().V1().Deployments().TypedInformer()
	secrets := factory.Core().V1().Secrets()
	if err := deployments.AddTypedIndexers(cache.TypedIndexers[*appsv1.Deployment]{secretIndex: indexBySecret}); err != nil {
		return nil, err
	}
	r := &reconciler{
		client: client.AppsV1(), secrets: secrets.Lister(), bySecret: deployments.GetTypedIndexer(),
	}
	c := controller.New(m, "rollout", deployments, r.reconcile, controller.Options{Workers: 4})
	controller.Watches(c, secrets.TypedInformer(), r.usersOf)
	return c, nil
}

// usersOf maps a Secret to the Deployments that use it.
func (r *reconciler) usersOf(_ context.Context, secret *corev1.Secret) []controller.Request {
	users, err := r.bySecret.ByTypedIndex(secretIndex, indexKey(secret.Namespace, secret.Name))
	if err != nil {
		panic(err) // SetUp has added the index
	}
	requests := make([]controller.Request, len(users))
	for i, d := range users {
		requests[i] = controller.Request{Namespace: d.Namespace, Name: d.Name}
	}
	return requests
}

func (r *reconciler) reconcile(ctx context.Context, d *appsv1.Deployment) (controller.Result, error) {
	if d.Annotations[Enabled] != "true" || d.DeletionTimestamp != nil {
		return controller.Result{}, nil
	}
	sum, err := r.checksum(d)
	if err != nil || d.Spec.Template.Annotations[Checksum] == sum {
		return controller.Result{}, err
	}
	// Only this annotation is applied, so nothing else of the Deployment is touched. The UID keeps the
	// call from creating a Deployment that was deleted meanwhile.
	apply := appsac.Deployment(d.Name, d.Namespace).WithUID(d.UID).WithSpec(appsac.DeploymentSpec().
		WithTemplate(coreac.PodTemplateSpec().WithAnnotations(map[string]string{Checksum: sum})))
	_, err = r.client.Deployments(d.Namespace).Apply(ctx, apply,
		metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	if err != nil {
		return controller.Result{}, fmt.Errorf("apply the checksum of the Secrets: %w", err)
	}
	return controller.Result{}, nil
}
