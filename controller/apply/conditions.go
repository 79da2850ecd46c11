// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/utils/ptr"
)

// Conditions sets the lastTransitionTime of conditions that are to be applied, and returns them. live
// has the conditions of the object as it is. A condition whose status is that of live has the time of
// live; another one has the present time, unless it says a time itself. These are the rules of
// [meta.SetStatusCondition]. Without this, the time would have to change with each apply, and no status
// would ever be at rest.
//
// A controller applies all conditions that it owns, each time: a condition that it leaves out is
// removed. Conditions that others apply remain, if the list is one by type (listType=map in the schema).
func Conditions(
	live []metav1.Condition,
	desired ...*metaac.ConditionApplyConfiguration,
) []*metaac.ConditionApplyConfiguration {
	after := slices.Clone(live)
	for _, condition := range desired {
		conditionType := ptr.Deref(condition.Type, "")
		meta.SetStatusCondition(&after, metav1.Condition{
			Type:               conditionType,
			Status:             ptr.Deref(condition.Status, ""),
			LastTransitionTime: ptr.Deref(condition.LastTransitionTime, metav1.Time{}),
		})
		condition.WithLastTransitionTime(meta.FindStatusCondition(after, conditionType).LastTransitionTime)
	}
	return desired
}
