// SPDX-License-Identifier: Apache-2.0

package virtualtest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/clientset/versioned/scheme"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

// setUp is that of a program whose controller stamps each ConfigMap once an hour.
func setUp(m *controller.Manager) error {
	client, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return err
	}
	factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
	reconcile := func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		stamped := cm.Annotations["stamp"]
		if at, err := time.Parse(time.RFC3339, stamped); err == nil && time.Since(at) < time.Hour {
			return controller.Result{RequeueAfter: time.Until(at.Add(time.Hour))}, nil
		}
		metav1.SetMetaDataAnnotation(&cm.ObjectMeta, "stamp", time.Now().Format(time.RFC3339))
		_, err := client.CoreV1().ConfigMaps(cm.Namespace).Update(ctx, cm, metav1.UpdateOptions{})
		return controller.Result{}, err
	}
	controller.New(m, "stamps", factory.Core().V1().ConfigMaps().TypedInformer(), reconcile, controller.Options{})
	return nil
}

// This is the test's own.
var t *testing.T

// A test of the function that the program gives to controller.Main.
func ExampleStart() {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		virtualtest.Start(t, api, setUp)
		settings := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "settings"}}
		api.Create(settings)
		synctest.Wait() // until nothing has anything to do
		api.Get(settings)
		first := settings.Annotations["stamp"]
		time.Sleep(time.Hour) // takes no time
		synctest.Wait()
		if api.Get(settings); settings.Annotations["stamp"] == first {
			t.Error("an hour later it has the same stamp")
		}
	})
}

// An API that serves the kinds of a project: those of its generated clientset, and one without Go types.
func ExampleNewAPI() {
	resources := virtualtest.ResourcesOf[versioned.Interface](scheme.Scheme)
	resources = append(resources, virtualtest.Resource{Group: "example.com", Version: "v1", Kind: "Widget"})
	api := virtualtest.NewAPI(t, resources...)
	api.CollectGarbage() // which nothing else does
}

// The answer of each third write is lost, after the API has made the change, and all calls take 20 ms.
func ExampleAPI_After() {
	api := virtualtest.NewAPI(t)
	api.Delay(20*time.Millisecond, nil)
	writes := 0
	api.After(func(_ context.Context, c virtualtest.Call) error {
		if c.Writes() {
			writes++
		}
		if c.Writes() && writes%3 == 0 {
			return errors.New("connection reset by peer")
		}
		return nil
	})
}
