// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// secretIndex finds Deployments by the Secrets that their pods use.
const secretIndex = "secret"

func indexKey(namespace, name string) string { return namespace + "/" + name }

func indexBySecret(d *appsv1.Deployment) ([]string, error) {
	keys := secretsOf(&d.Spec.Template.Spec)
	for i, name := range keys {
		keys[i] = indexKey(d.Namespace, name)
	}
	return keys, nil
}

// checksum is a checksum of the content of all Secrets that a Deployment uses. A Secret that does not
// exist counts too: when it is created, the checksum changes.
func (r *reconciler) checksum(d *appsv1.Deployment) (string, error) {
	content := map[string]map[string][]byte{}
	for _, name := range secretsOf(&d.Spec.Template.Spec) {
		secret, err := r.secrets.Secrets(d.Namespace).Get(name)
		switch {
		case apierrors.IsNotFound(err):
			content[name] = nil
		case err != nil:
			return "", err
		default:
			content[name] = secret.Data
		}
	}
	data, err := json.Marshal(content) // sorts the keys
	if err != nil {
		return "", fmt.Errorf("make a checksum of Secrets: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// secretsOf returns the names of the Secrets that pods use, sorted, each once.
func secretsOf(pod *corev1.PodSpec) []string {
	var names []string
	for _, volume := range pod.Volumes {
		if volume.Secret != nil {
			names = append(names, volume.Secret.SecretName)
		}
		if volume.Projected != nil {
			for _, source := range volume.Projected.Sources {
				if source.Secret != nil {
					names = append(names, source.Secret.Name)
				}
			}
		}
	}
	for _, container := range slices.Concat(pod.InitContainers, pod.Containers) {
		names = append(names, secretsOfContainer(&container)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func secretsOfContainer(container *corev1.Container) (names []string) {
	for _, from := range container.EnvFrom {
		if from.SecretRef != nil {
			names = append(names, from.SecretRef.Name)
		}
	}
	for _, variable := range container.Env {
		if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
			names = append(names, variable.ValueFrom.SecretKeyRef.Name)
		}
	}
	return names
}
