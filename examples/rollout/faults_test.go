// SPDX-License-Identifier: Apache-2.0

package rollout_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/rollout"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

// TestFaults has somebody change the Secret that a Deployment uses.
func TestFaults(t *testing.T) {
	labels := map[string]string{"app": "web"}
	suite.Faults(t, faulttest.Program{
		Objects: []runtime.Object{
			&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "password"}, Data: map[string][]byte{"a": []byte("1")}},
			&appsv1.Deployment{
				ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{rollout.Enabled: "true"}},
				Spec: appsv1.DeploymentSpec{
					Selector: &metav1.LabelSelector{MatchLabels: labels},
					Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
						Containers: []corev1.Container{{Name: "main", Image: "example.com/web", EnvFrom: []corev1.EnvFromSource{{
							SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "password"}},
						}}}},
					}},
				},
			},
		},
		Change: func(secret *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(secret.Object, "Mg==", "data", "a") // a string can be set
		},
	}, func(m *controller.Manager) error {
		_, err := rollout.SetUp(m)
		return err
	})
}
