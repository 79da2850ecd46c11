// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

// TestAStoryKnowsWhatTheObjectHasWrittenToItself stamps an object, sees its own write, and stamps it again after
// a change by somebody else.
func TestAStoryKnowsWhatTheObjectHasWrittenToItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		running := virtualtest.Start(t, api, func(m *controller.Manager) error {
			client, err := kubernetes.NewForConfig(m.Config())
			if err != nil {
				return err
			}
			factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
			controller.New(m, "stamps", factory.Core().V1().ConfigMaps().TypedInformer(),
				func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
					if cm.Annotations["stamp"] == cm.Data["wanted"] {
						return controller.Result{}, nil
					}
					metav1.SetMetaDataAnnotation(&cm.ObjectMeta, "stamp", cm.Data["wanted"])
					_, err := client.CoreV1().ConfigMaps(cm.Namespace).Update(ctx, cm, metav1.UpdateOptions{})
					return controller.Result{}, err
				}, controller.Options{})
			return nil
		})
		synctest.Wait() // until it has started: what is there before that is no change
		object := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "settings"}, Data: map[string]string{"wanted": "planted"},
		}
		api.Create(object)
		synctest.Wait()
		time.Sleep(time.Second)
		api.Get(object)
		object.Data["wanted"] = "planted too"
		api.Update(object)
		synctest.Wait()
		stories := running.Stories(controller.Request{Namespace: "shop", Name: "settings"})
		if len(stories) != 1 || len(stories[0].Reconciles) != 4 {
			t.Fatalf("%+v", stories)
		}
		var own []bool
		for _, r := range stories[0].Reconciles {
			own = append(own, r.Why.By.Own)
		}
		if want := []bool{false, true, false, true}; !slices.Equal(own, want) {
			t.Errorf("by its own write: %v, want %v", own, want)
		}
		if first := stories[0].Reconciles[0]; first.Calls != 1 || len(first.Writes) != 1 || first.Writes[0].Verb != "update" || first.Writes[0].Name != "settings" {
			t.Errorf("the first: %+v", first)
		}
		text := stories[0].Text()
		for _, want := range []string{"2 by a change of itself, 2 by what it had written to itself.", "1 call: update configmaps settings"} {
			if !strings.Contains(text, want) {
				t.Errorf("it does not say %q:\n%s", want, text)
			}
		}
		if strings.Contains(text, "planted") {
			t.Errorf("it has content:\n%s", text)
		}
		if writers := running.Snapshot().Writers; len(writers) != 1 || writers[0].Writes != 2 || writers[0].Resource != "configmaps" || writers[0].By.Name != "settings" {
			t.Errorf("%+v", writers)
		}
	})
}
