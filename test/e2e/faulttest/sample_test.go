// SPDX-License-Identifier: Apache-2.0

package faulttest_test

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

// sample is the sample controller, with a Flunder and one that refers to it. It works as a leader, or on its slots.
func sample(options func(namespace string) controller.ManagerOptions) faulttest.Program {
	kind := metav1.TypeMeta{APIVersion: v1beta1.SchemeGroupVersion.String(), Kind: "Flunder"}
	return faulttest.Program{
		Run: func(ctx context.Context, config *rest.Config, namespace string) error {
			m := controller.NewManager(config, options(namespace))
			if _, err := flunder.Setup(m, flunder.Options{Namespace: namespace, Workers: 4}); err != nil {
				return err
			}
			return m.Run(ctx)
		},
		Objects: []runtime.Object{
			&v1beta1.Flunder{
				TypeMeta: kind, ObjectMeta: metav1.ObjectMeta{Name: "web"},
				Spec: v1beta1.FlunderSpec{Image: "registry.example.com/web:v1"},
			},
			&v1beta1.Flunder{
				TypeMeta: kind, ObjectMeta: metav1.ObjectMeta{Name: "api"},
				Spec: v1beta1.FlunderSpec{Image: "registry.example.com/api:v1", FlunderReference: "web"},
			},
		},
		Change: func(object *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(object.Object, "registry.example.com/web:v2", "spec", "image") // a string can be set
		},
	}
}

func TestTheSampleSurvivesEveryFault(t *testing.T) {
	faulttest.Explore(t, plane.Config(), sample(asLeader), faulttest.Options{Budget: time.Minute})
}

// TestTheSampleSurvivesTheLossOfItsSlots has more patience than the duration of its Leases: nobody takes a slot whose
// Lease was edited before that is over.
func TestTheSampleSurvivesTheLossOfItsSlots(t *testing.T) {
	faulttest.Explore(t, plane.Config(), sample(inSlots), faulttest.Options{
		Modes:    []faulttest.Mode{faulttest.LeadershipLost, faulttest.CrashedAfter, faulttest.CancelledAfter},
		Budget:   20 * time.Second,
		Patience: 10 * slotLease,
	})
}

const slotLease = 3 * time.Second

func asLeader(namespace string) controller.ManagerOptions {
	return controller.ManagerOptions{
		LeaderElection: &controller.LeaderElection{Namespace: namespace, Name: "sample-controller", Identity: "sample"},
	}
}

func inSlots(namespace string) controller.ManagerOptions {
	return controller.ManagerOptions{
		Sharding: &controller.Sharding{
			Namespace: namespace, Name: "sample-controller", Identity: "sample", Slots: 2,
			LeaseDuration: slotLease, RenewDeadline: slotLease * 2 / 3, RetryPeriod: slotLease / 6,
		},
	}
}
