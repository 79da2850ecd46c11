// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/otel/attribute"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

func TestASpanNamesTheGroupOfItsObjectUnlessThatIsTheCoreGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		meta := metav1.ObjectMeta{Namespace: "n", Name: "a"}
		api := virtualtest.NewAPI(t)
		api.Create(&corev1.ConfigMap{ObjectMeta: meta}, &appsv1.Deployment{ObjectMeta: meta})
		recorded, options := traced()
		virtualtest.Start(t, api, func(m *controller.Manager) error {
			factory := controller.AddFactory(m, informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(m.Config()), 0))
			controller.New(m, "core", factory.Core().V1().ConfigMaps().TypedInformer(), nothing, controller.Options{})
			controller.New(m, "apps", factory.Apps().V1().Deployments().TypedInformer(),
				func(context.Context, *appsv1.Deployment) (controller.Result, error) { return controller.Result{}, nil }, controller.Options{})
			return nil
		}, func(o *controller.ManagerOptions) { o.Telemetry = options.Telemetry })
		synctest.Wait()
		named := map[string]bool{}
		for _, span := range recorded.GetSpans() {
			if name := attributeOf(span.Attributes, semconv.AttrController); name != "" {
				named[name] = slices.ContainsFunc(span.Attributes, func(a attribute.KeyValue) bool { return a.Key == semconv.AttrObjectGroup })
				if group := attributeOf(span.Attributes, semconv.AttrObjectGroup); named[name] && group != "apps" {
					t.Errorf("the group is %q", group)
				}
			}
		}
		if core, known := named["core"]; core || !known || !named["apps"] {
			t.Errorf("the group is named by controller: %v", named)
		}
	})
}
