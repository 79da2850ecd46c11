// SPDX-License-Identifier: Apache-2.0

package clientset

import (
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/deprecated"
	deprecatedfake "github.com/lanyard-k8s/lanyard/clientset/deprecated/fake"
	old "github.com/lanyard-k8s/lanyard/clientset/deprecated/typed/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
)

// TestTheOldSignatures does not compile when any of them changes.
//
// Deprecated: all that it names is, and who may name that unreported is deprecated too.
func TestTheOldSignatures(*testing.T) {
	// Those of KEP-1601, "of the existing flunders client API", in its order, on the interface and on
	// the concrete type.
	var (
		_ func(old.FlunderInterface, string, metav1.GetOptions) (*v1beta1.Flunder, error)                  = old.FlunderInterface.Get
		_ func(old.FlunderInterface, metav1.ListOptions) (*v1beta1.FlunderList, error)                     = old.FlunderInterface.List
		_ func(old.FlunderInterface, metav1.ListOptions) (watch.Interface, error)                          = old.FlunderInterface.Watch
		_ func(old.FlunderInterface, *v1beta1.Flunder) (*v1beta1.Flunder, error)                           = old.FlunderInterface.Create
		_ func(old.FlunderInterface, *v1beta1.Flunder) (*v1beta1.Flunder, error)                           = old.FlunderInterface.Update
		_ func(old.FlunderInterface, *v1beta1.Flunder) (*v1beta1.Flunder, error)                           = old.FlunderInterface.UpdateStatus
		_ func(old.FlunderInterface, string, *metav1.DeleteOptions) error                                  = old.FlunderInterface.Delete
		_ func(old.FlunderInterface, *metav1.DeleteOptions, metav1.ListOptions) error                      = old.FlunderInterface.DeleteCollection
		_ func(old.FlunderInterface, string, types.PatchType, []byte, ...string) (*v1beta1.Flunder, error) = old.FlunderInterface.Patch
		_ func(*old.FlunderClient, string, metav1.GetOptions) (*v1beta1.Flunder, error)                    = (*old.FlunderClient).Get
		_ func(*old.FlunderClient, metav1.ListOptions) (*v1beta1.FlunderList, error)                       = (*old.FlunderClient).List
		_ func(*old.FlunderClient, metav1.ListOptions) (watch.Interface, error)                            = (*old.FlunderClient).Watch
		_ func(*old.FlunderClient, *v1beta1.Flunder) (*v1beta1.Flunder, error)                             = (*old.FlunderClient).Create
		_ func(*old.FlunderClient, *v1beta1.Flunder) (*v1beta1.Flunder, error)                             = (*old.FlunderClient).Update
		_ func(*old.FlunderClient, *v1beta1.Flunder) (*v1beta1.Flunder, error)                             = (*old.FlunderClient).UpdateStatus
		_ func(*old.FlunderClient, string, *metav1.DeleteOptions) error                                    = (*old.FlunderClient).Delete
		_ func(*old.FlunderClient, *metav1.DeleteOptions, metav1.ListOptions) error                        = (*old.FlunderClient).DeleteCollection
		_ func(*old.FlunderClient, string, types.PatchType, []byte, ...string) (*v1beta1.Flunder, error)   = (*old.FlunderClient).Patch
	)

	// The rest of what old code has in its hands.
	var (
		_ func(old.FlunderInterface, string, metav1.GetOptions) (*autoscalingv1.Scale, error)    = old.FlunderInterface.GetScale
		_ func(old.FlunderInterface, string, *autoscalingv1.Scale) (*autoscalingv1.Scale, error) = old.FlunderInterface.UpdateScale
		_ func(*old.FlunderClient, string, metav1.GetOptions) (*autoscalingv1.Scale, error)      = (*old.FlunderClient).GetScale
		_ func(*old.FlunderClient, string, *autoscalingv1.Scale) (*autoscalingv1.Scale, error)   = (*old.FlunderClient).UpdateScale
		_ func(deprecated.Interface) old.WardleV1beta1Interface                                  = deprecated.Interface.WardleV1beta1
		_ func(deprecated.Interface) discovery.DiscoveryInterface                                = deprecated.Interface.Discovery
		_ func(deprecated.Interface) versioned.Interface                                         = deprecated.Interface.WithContext
		_ func(*rest.Config) (*deprecated.Clientset, error)                                      = deprecated.NewForConfig
		_ func(*rest.Config) *deprecated.Clientset                                               = deprecated.NewForConfigOrDie
		_ func(rest.Interface) *deprecated.Clientset                                             = deprecated.New
		_ deprecated.Interface                                                                   = (*deprecated.Clientset)(nil)
		_ deprecated.Interface                                                                   = (*deprecatedfake.Clientset)(nil)
	)

	// The interface has these methods and no others: what old code implements by hand, it still does.
	var _ old.FlunderInterface = (interface {
		Get(string, metav1.GetOptions) (*v1beta1.Flunder, error)
		List(metav1.ListOptions) (*v1beta1.FlunderList, error)
		Watch(metav1.ListOptions) (watch.Interface, error)
		Create(*v1beta1.Flunder) (*v1beta1.Flunder, error)
		Update(*v1beta1.Flunder) (*v1beta1.Flunder, error)
		UpdateStatus(*v1beta1.Flunder) (*v1beta1.Flunder, error)
		Delete(string, *metav1.DeleteOptions) error
		DeleteCollection(*metav1.DeleteOptions, metav1.ListOptions) error
		Patch(string, types.PatchType, []byte, ...string) (*v1beta1.Flunder, error)
		GetScale(string, metav1.GetOptions) (*autoscalingv1.Scale, error)
		UpdateScale(string, *autoscalingv1.Scale) (*autoscalingv1.Scale, error)
	})(nil)
}
