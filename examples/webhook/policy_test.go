// SPDX-License-Identifier: Apache-2.0

package webhook_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
)

// create makes a Flunder and deletes it again: policies become effective some moments after they were applied.
func create(e *suite.Env, image string) (*wardlev1beta1.Flunder, error) {
	e.Helper()
	client := versioned.NewForConfigOrDie(e.Config()).WardleV1beta1().Flunders(e.Namespace)
	made, err := client.Create(e.Context(), &wardlev1beta1.Flunder{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "web-"},
		Spec:       wardlev1beta1.FlunderSpec{Image: image},
	}, metav1.CreateOptions{})
	if err == nil {
		e.Must(client.Delete(e.Context(), made.Name, metav1.DeleteOptions{}))
	}
	return made, err
}

func TestAPolicyRefusesImagesFromElsewhere(t *testing.T) {
	e := suite.New(t, map[string]string{"images": "ours"})
	e.DefineFlunders()
	e.Apply("config/validating_policy.yaml", nil)
	e.Eventually("an image from elsewhere is refused", func() bool {
		_, err := create(e, "elsewhere.example.com/web:1")
		return err != nil && strings.Contains(err.Error(),
			"the image elsewhere.example.com/web:1 is not of registry.example.com")
	})
	_, err := create(e, "registry.example.com/web:1")
	e.Must(err)
}

func TestAPolicyLabelsObjectsWithTheTeamOfTheirNamespace(t *testing.T) {
	e := suite.New(t, map[string]string{"team": "blue"})
	e.DefineFlunders()
	e.Apply("config/mutating_policy.yaml", nil)
	e.Eventually("a Flunder has the label of its namespace", func() bool {
		made, err := create(e, "registry.example.com/web:1")
		return err == nil && made.Labels["team"] == "blue"
	})
}
