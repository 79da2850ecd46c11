// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// stampNew sets what the API server sets of a new object.
func stampNew(o *object, r *Resource, uid int64) {
	// In the form of a UID, and the same in each run of a test.
	o.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", uid)))
	o.SetCreationTimestamp(metav1.Now().Rfc3339Copy())
	o.SetDeletionTimestamp(nil)
	o.SetDeletionGracePeriodSeconds(nil)
	o.SetResourceVersion("")
	o.SetSelfLink("")
	o.SetGeneration(0)
	if !r.unversion {
		o.SetGeneration(1)
	}
	if !r.NoStatus {
		delete(o.Object, "status")
	}
}

// stampUpdate sets what an update cannot change.
func stampUpdate(o, before *object, r *Resource, subresource string) {
	if subresource == "status" {
		status := o.Object["status"]
		managed := o.GetManagedFields()
		o.Object = before.DeepCopy().Object
		o.SetManagedFields(managed)
		delete(o.Object, "status")
		if status != nil {
			o.Object["status"] = status
		}
	} else if !r.NoStatus {
		delete(o.Object, "status")
		if status, found := before.DeepCopy().Object["status"]; found {
			o.Object["status"] = status
		}
	}
	o.SetUID(before.GetUID())
	o.SetCreationTimestamp(before.GetCreationTimestamp())
	o.SetDeletionTimestamp(before.GetDeletionTimestamp())
	o.SetDeletionGracePeriodSeconds(before.GetDeletionGracePeriodSeconds())
	o.SetResourceVersion(before.GetResourceVersion())
	o.SetSelfLink("")
	o.SetGeneration(before.GetGeneration())
	if !r.unversion && !equality.Semantic.DeepEqual(wanted(o, r), wanted(before, r)) {
		o.SetGeneration(before.GetGeneration() + 1)
	}
}

// wanted is the part of an object whose change is a new generation.
func wanted(o *object, r *Resource) map[string]any {
	fields := maps.Clone(o.Object)
	delete(fields, "metadata")
	if !r.NoStatus {
		delete(fields, "status")
	}
	return fields
}
