// SPDX-License-Identifier: Apache-2.0

package clientset

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	wardle "github.com/lanyard-k8s/lanyard/clientset/versioned/typed/wardle/v1beta1"
)

// The signatures of KEP-1601, "Client Signatures After Refactor", in its order. Function types must be
// identical to be assigned, so this does not compile when any of them changes.
var (
	_ func(wardle.FlunderInterface, context.Context, string, metav1.GetOptions) (*v1beta1.Flunder, error)                                       = wardle.FlunderInterface.Get
	_ func(wardle.FlunderInterface, context.Context, metav1.ListOptions) (*v1beta1.FlunderList, error)                                          = wardle.FlunderInterface.List
	_ func(wardle.FlunderInterface, context.Context, metav1.ListOptions) (watch.Interface, error)                                               = wardle.FlunderInterface.Watch
	_ func(wardle.FlunderInterface, context.Context, *v1beta1.Flunder, metav1.CreateOptions) (*v1beta1.Flunder, error)                          = wardle.FlunderInterface.Create
	_ func(wardle.FlunderInterface, context.Context, *v1beta1.Flunder, metav1.UpdateOptions) (*v1beta1.Flunder, error)                          = wardle.FlunderInterface.Update
	_ func(wardle.FlunderInterface, context.Context, *v1beta1.Flunder, metav1.UpdateOptions) (*v1beta1.Flunder, error)                          = wardle.FlunderInterface.UpdateStatus
	_ func(wardle.FlunderInterface, context.Context, string, metav1.DeleteOptions) error                                                        = wardle.FlunderInterface.Delete
	_ func(wardle.FlunderInterface, context.Context, metav1.DeleteOptions, metav1.ListOptions) error                                            = wardle.FlunderInterface.DeleteCollection
	_ func(wardle.FlunderInterface, context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string) (*v1beta1.Flunder, error) = wardle.FlunderInterface.Patch
)
