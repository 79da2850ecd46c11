// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/lanyard-k8s/lanyard/controller/apply"
)

// What is there already is not applied again.
func ExampleIfDifferent() {
	ctx := context.Background()            // in a program: the context of the reconcile
	client := fake.NewClientset().CoreV1() // in a program: made from the manager's Config
	options := metav1.ApplyOptions{FieldManager: "web-controller", Force: true}
	var live *corev1.ConfigMap // in a program: from the lister; nil if there is none
	for _, colour := range []string{"red", "red", "blue"} {
		desired := coreac.ConfigMap("web", "shop").WithData(map[string]string{"colour": colour})
		written, err := apply.IfDifferent(ctx, live, desired, client.ConfigMaps("shop").Apply, options)
		if err != nil {
			panic(err)
		}
		fmt.Println(colour, "was applied:", written != live)
		live = written
	}
	// Output:
	// red was applied: true
	// red was applied: false
	// blue was applied: true
}

// The time of a condition moves only with its status, so that the same status is not applied again.
func ExampleConditions() {
	live := []metav1.Condition{{
		Type: "Ready", Status: metav1.ConditionTrue, Reason: "Available", Message: "2 of 2 are there",
		LastTransitionTime: metav1.Unix(0, 0),
	}}
	ready := metaac.Condition().WithType("Ready").WithStatus(metav1.ConditionTrue).WithReason("Available").
		WithMessage("3 of 3 are there").WithObservedGeneration(7)
	for _, condition := range apply.Conditions(live, ready) { // for WithConditions(apply.Conditions(...)...)
		fmt.Println(*condition.Message, "since", condition.LastTransitionTime.UTC().Year())
	}
	// Output:
	// 3 of 3 are there since 1970
}
