// SPDX-License-Identifier: Apache-2.0

// Package flunder reconciles Flunders: it is what to copy to write a controller of one's own.
//
// A reconcile is an ordered list of phases, each in a file of its own. The first that has a verdict
// ends it, and the verdict becomes the status. Nothing is polled: each thing that a verdict may
// wait for (the Deployment, the reference) wakes the Flunder by its own events.
package flunder

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	appslisters "k8s.io/client-go/listers/apps/v1"
	"k8s.io/client-go/tools/cache"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	wardleclient "github.com/lanyard-k8s/lanyard/clientset/versioned/typed/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller/events"
	wardlelisters "github.com/lanyard-k8s/lanyard/listers/wardle/v1beta1"
)

// FieldManager owns the fields that the controller applies.
const FieldManager = "flunder-controller"

// Options configures the Flunder controller. The zero value works.
type Options struct {
	// Namespace limits the controller to one namespace. Default: all.
	Namespace string
	// Workers is how many Flunders are reconciled at the same time. Default: 1.
	Workers int
	// Instance names this process in events; a pod's name. Default: the controller's name.
	Instance string
}

// Reconciler brings the Deployment and the status of a Flunder in line with its spec.
type Reconciler struct {
	flunders     wardleclient.FlundersGetter
	deployments  appsclient.DeploymentsGetter
	flunderCache wardlelisters.FlunderLister
	deployCache  appslisters.DeploymentLister
	byReference  cache.TypedIndexer[*wardlev1beta1.Flunder]
	events       *events.Recorder
}

// phase looks at one thing. It returns a verdict when that thing decides how the Flunder is, nil
// when the next phase is to look.
type phase func(ctx context.Context, f *wardlev1beta1.Flunder, seen *observed) (*verdict, error)

// observed is what the phases have found out on the way.
type observed struct {
	deployment *appsv1.Deployment // the Flunder's own, nil while there is none
}

// verdict is how a Flunder is: the two conditions, which share a reason and a message.
type verdict struct {
	ready       metav1.ConditionStatus
	progressing metav1.ConditionStatus
	reason      string
	message     string
}

// waiting is a verdict that time will change.
func waiting(reason, message string) *verdict {
	return &verdict{
		ready:       metav1.ConditionFalse,
		progressing: metav1.ConditionTrue,
		reason:      reason,
		message:     message,
	}
}

// blocked is a verdict that only an edit will change.
func blocked(reason, message string) *verdict {
	return &verdict{
		ready:       metav1.ConditionFalse,
		progressing: metav1.ConditionFalse,
		reason:      reason,
		message:     message,
	}
}
