// SPDX-License-Identifier: Apache-2.0

// Package webhook refuses to delete a ServiceAccount that a Deployment uses. It is an example of a
// validating webhook, which runs as a server of the manager and answers from the manager's caches. The
// folder config has the webhook's manifest, and two admission policies, which need no program.
package webhook

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/cache"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/lanyard-k8s/lanyard/controller"
)

// Path is where the webhook is served.
const Path = "/validate-serviceaccount"

// accountIndex finds Deployments by the ServiceAccount that their pods have.
const accountIndex = "serviceAccount"

// guard is the webhook.
type guard struct {
	deployments cache.TypedSharedIndexInformer[*appsv1.Deployment]
}

// SetUp adds the webhook to a manager. options name the address and the certificate.
func SetUp(m *controller.Manager, options crwebhook.Options) error {
	client, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return err
	}
	factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
	deployments := factory.Apps().V1().Deployments().TypedInformer()
	if err := deployments.AddTypedIndexers(cache.TypedIndexers[*appsv1.Deployment]{accountIndex: byAccount}); err != nil {
		return err
	}
	server := crwebhook.NewServer(options)
	server.Register(Path, admission.WithValidator(scheme.Scheme, &guard{deployments}))
	m.AddServer("webhook", server.Start) // its context ends last
	return nil
}

func byAccount(d *appsv1.Deployment) ([]string, error) {
	return []string{d.Namespace + "/" + d.Spec.Template.Spec.ServiceAccountName}, nil
}

// ValidateDelete refuses the deletion of an account that is in use.
func (g *guard) ValidateDelete(_ context.Context, account *corev1.ServiceAccount) (admission.Warnings, error) {
	if !g.deployments.HasSynced() {
		return nil, apierrors.NewServiceUnavailable("the webhook does not know the Deployments yet: try again")
	}
	users, err := g.deployments.GetTypedIndexer().ByTypedIndex(accountIndex, account.Namespace+"/"+account.Name)
	if err != nil {
		return nil, err
	}
	if len(users) > 0 {
		return nil, fmt.Errorf("the Deployment %s uses it: delete that first", users[0].Name)
	}
	return nil, nil
}

// ValidateCreate admits all: the webhook is registered for deletions only.
func (g *guard) ValidateCreate(context.Context, *corev1.ServiceAccount) (admission.Warnings, error) {
	return nil, nil
}

// ValidateUpdate admits all.
func (g *guard) ValidateUpdate(_ context.Context, _, _ *corev1.ServiceAccount) (admission.Warnings, error) {
	return nil, nil
}
