// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Request names the object to reconcile. Two requests that are equal are the same item of work.
type Request struct {
	// Namespace is the object's namespace. It is empty for a cluster-scoped object.
	Namespace string
	// Name is the object's name.
	Name string
}

// RequestFor returns the request for an object.
func RequestFor(object metav1.Object) Request {
	return Request{Namespace: object.GetNamespace(), Name: object.GetName()}
}

// NamespacedName returns the request as most Kubernetes libraries take it.
func (r Request) NamespacedName() types.NamespacedName {
	return types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
}

// String returns namespace/name, or the name alone for a cluster-scoped object. It is the key of
// the object in a client-go store.
func (r Request) String() string {
	if r.Namespace == "" {
		return r.Name
	}
	return r.Namespace + "/" + r.Name
}
