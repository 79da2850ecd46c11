// SPDX-License-Identifier: Apache-2.0

package controller

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
)

// kind is the group and kind of the objects that a controller reconciles.
type kind struct {
	known  bool // the group is known, because the user has said it
	stated schema.GroupKind
	cache  *caches.Cache // tells the group once its first request was sent
}

// String returns the kind without its group.
func (k kind) String() string { return k.stated.Kind }

// groupKind returns the group and kind. Without a stated group it is the group that the informer
// asked the API server for, which is empty before that.
func (k kind) groupKind() schema.GroupKind {
	if k.known || k.cache == nil {
		return k.stated
	}
	return schema.GroupKind{Group: k.cache.Group(), Kind: k.stated.Kind}
}

// isOwner reports whether an owner reference is to an object of this kind. Without a stated group
// any group matches.
func (k kind) isOwner(ref *metav1.OwnerReference) bool {
	if ref.Kind != k.stated.Kind {
		return false
	}
	if !k.known {
		return true
	}
	version, err := schema.ParseGroupVersion(ref.APIVersion)
	return err == nil && version.Group == k.stated.Group
}
