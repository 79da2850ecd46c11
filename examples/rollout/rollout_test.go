// SPDX-License-Identifier: Apache-2.0

package rollout_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/rollout"
)

func TestMain(m *testing.M) { suite.Main(m) }

func TestADeploymentIsRolledOutWhenASecretThatItUsesChanges(t *testing.T) {
	e := &env{suite.New(t, nil)}
	var c *controller.Controller[*appsv1.Deployment]
	operator := e.Start(controller.ManagerOptions{}, func(m *controller.Manager) (err error) {
		c, err = rollout.SetUp(m)
		return err
	})
	for _, use := range uses() {
		e.create(use)
	}
	e.create(deployment{name: "not-asked"})

	first := map[string]string{}
	for _, use := range uses() {
		e.Eventually(use.name+" has a checksum", func() bool {
			first[use.name] = e.checksum(use.name)
			return first[use.name] != ""
		})
	}
	e.write("password", "one") // until now it did not exist
	e.changed(first)
	e.write("password", "two")
	e.changed(first)
	if sum := e.checksum("not-asked"); sum != "" {
		t.Errorf("a Deployment that does not ask for it has the checksum %s", sum)
	}
	operator.AtRest(func() {
		before := c.Stats().Done
		e.write("other", "one") // no Deployment uses it
		e.label("password")     // its content stays
		e.Eventually("all were reconciled", func() bool { return c.Stats().Done-before >= int64(len(uses())) })
	})
}

// deployment is a Deployment by the way in which it uses the Secret "password".
type deployment struct {
	name string
	use  func(*corev1.PodSpec)
}

func uses() []deployment {
	ref := corev1.LocalObjectReference{Name: "password"}
	return []deployment{
		{"volume", func(pod *corev1.PodSpec) {
			pod.Volumes[0].Secret = &corev1.SecretVolumeSource{SecretName: "password"}
		}},
		{"projected", func(pod *corev1.PodSpec) {
			pod.Volumes[0].Projected = &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{Secret: &corev1.SecretProjection{LocalObjectReference: ref}},
			}}
		}},
		{"env-from", func(pod *corev1.PodSpec) {
			pod.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: ref}}}
		}},
		{"env", func(pod *corev1.PodSpec) {
			pod.Containers[0].Env = []corev1.EnvVar{{Name: "PASSWORD", ValueFrom: &corev1.EnvVarSource{
				SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: ref, Key: "value"},
			}}}
		}},
	}
}

type env struct{ *suite.Env }

func (e *env) create(d deployment) {
	e.Helper()
	labels := map[string]string{"app": d.name}
	pod := corev1.PodSpec{
		Containers: []corev1.Container{{Name: "main", Image: "registry.example.com/app:v1"}},
		Volumes:    []corev1.Volume{{Name: "files"}},
	}
	annotations := map[string]string{}
	if d.use != nil {
		d.use(&pod)
		annotations[rollout.Enabled] = "true"
	}
	_, err := e.Kube.AppsV1().Deployments(e.Namespace).Create(e.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: d.name, Annotations: annotations},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod},
		},
	}, metav1.CreateOptions{})
	e.Must(err)
}

// changed waits until each Deployment has another checksum than before, and keeps it.
func (e *env) changed(before map[string]string) {
	e.Helper()
	for name, sum := range before {
		e.Eventually(name+" has another checksum", func() bool {
			before[name] = e.checksum(name)
			return before[name] != sum
		})
	}
}

func (e *env) checksum(name string) string {
	e.Helper()
	d, err := e.Kube.AppsV1().Deployments(e.Namespace).Get(e.Context(), name, metav1.GetOptions{})
	e.Must(err)
	return d.Spec.Template.Annotations[rollout.Checksum]
}

// write writes a Secret.
func (e *env) write(name, value string) {
	e.Helper()
	secrets := e.Kube.CoreV1().Secrets(e.Namespace)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: map[string]string{"value": value}}
	_, err := secrets.Update(e.Context(), secret, metav1.UpdateOptions{})
	if err != nil {
		_, err = secrets.Create(e.Context(), secret, metav1.CreateOptions{})
	}
	e.Must(err)
}

func (e *env) label(name string) {
	e.Helper()
	secret, err := e.Kube.CoreV1().Secrets(e.Namespace).Get(e.Context(), name, metav1.GetOptions{})
	e.Must(err)
	secret.Labels = map[string]string{"touched": "yes"}
	_, err = e.Kube.CoreV1().Secrets(e.Namespace).Update(e.Context(), secret, metav1.UpdateOptions{})
	e.Must(err)
}
