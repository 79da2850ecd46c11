// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/apply"
)

func TestTheTimeOfAConditionMovesOnlyWithItsStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		earlier := metav1.Now()
		time.Sleep(time.Hour)
		now := metav1.Now()
		given := metav1.NewTime(now.Add(-time.Minute))
		live := []metav1.Condition{
			{Type: "Other", Status: metav1.ConditionTrue, LastTransitionTime: earlier},
			{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Up", Message: "1 of 1", LastTransitionTime: earlier},
		}
		ready := func(status metav1.ConditionStatus) *metaac.ConditionApplyConfiguration {
			return metaac.Condition().WithType("Ready").WithStatus(status).WithReason("Up").WithMessage("2 of 2")
		}
		for name, c := range map[string]struct {
			live    []metav1.Condition
			desired *metaac.ConditionApplyConfiguration
			want    metav1.Time
		}{
			"the same status":                  {live, ready(metav1.ConditionTrue), earlier},
			"another status":                   {live, ready(metav1.ConditionFalse), now},
			"a new condition":                  {live[:1], ready(metav1.ConditionTrue), now},
			"no condition":                     {nil, ready(metav1.ConditionTrue), now},
			"another status at a given time":   {live, ready(metav1.ConditionFalse).WithLastTransitionTime(given), given},
			"the same status at another time ": {live, ready(metav1.ConditionTrue).WithLastTransitionTime(given), earlier},
		} {
			got := apply.Conditions(c.live, c.desired)
			if len(got) != 1 || !got[0].LastTransitionTime.Equal(&c.want) || *got[0].Message != "2 of 2" {
				t.Errorf("%s: %+v", name, got[0])
			}
		}
		if live[1].Message != "1 of 1" || live[1].LastTransitionTime != earlier {
			t.Errorf("the conditions of the object are changed: %+v", live)
		}
	})
}
