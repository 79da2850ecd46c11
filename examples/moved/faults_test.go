// SPDX-License-Identifier: Apache-2.0

package moved_test

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/moved/after"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

// noRecords is a DNS server that has all names.
type noRecords struct{}

func (noRecords) Add(context.Context, string) error    { return nil }
func (noRecords) Remove(context.Context, string) error { return nil }

func TestFaults(t *testing.T) {
	suite.New(t, nil).DefineFlunders()
	kind := metav1.TypeMeta{APIVersion: wardlev1beta1.SchemeGroupVersion.String(), Kind: "Flunder"}
	suite.Faults(t, faulttest.Program{
		Objects: []runtime.Object{
			&wardlev1beta1.Flunder{
				TypeMeta: kind, ObjectMeta: metav1.ObjectMeta{Name: "web"},
				Spec: wardlev1beta1.FlunderSpec{Image: "registry.example.com/web:1"},
			},
			&wardlev1beta1.Flunder{
				TypeMeta: kind, ObjectMeta: metav1.ObjectMeta{Name: "api"},
				Spec: wardlev1beta1.FlunderSpec{Image: "registry.example.com/api:1", FlunderReference: "web"},
			},
		},
		Change: func(flunder *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(flunder.Object, "registry.example.com/web:2", "spec", "image") // a string can be set
		},
	}, func(m *controller.Manager) error { return after.SetUp(m, noRecords{}) })
}
