// SPDX-License-Identifier: Apache-2.0

// Package onlanyard is the program under test on Lanyard, written as docs/controllers.md says.
package onlanyard

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/clientset/versioned/scheme"
	"github.com/lanyard-k8s/lanyard/controller"
	wardleinformers "github.com/lanyard-k8s/lanyard/informers/externalversions"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

// Run runs the program with options, which are the defaults but for what is to be compared. What is added to the
// manager besides is that, too.
func Run(ctx context.Context, config *rest.Config, s *program.Settings, p *program.Probe, options controller.ManagerOptions, add ...func(*controller.Manager)) error {
	lead(s, &options)
	m := controller.NewManager(config, options)
	for _, add := range add {
		add(m)
	}
	setup := configMaps
	if s.Flunders() {
		setup = flunders
	}
	if err := setup(m, s, p); err != nil {
		return err
	}
	return m.Run(ctx)
}

func configMaps(m *controller.Manager, s *program.Settings, p *program.Probe) error {
	client, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return err
	}
	maps := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(s.Namespace))).Core().V1().ConfigMaps()
	reconcile := func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		if token := p.Seen(cm); token != "" {
			metav1.SetMetaDataAnnotation(&cm.ObjectMeta, program.TokenAnnotation, token)
			_, err := client.CoreV1().ConfigMaps(cm.Namespace).Update(ctx, cm, metav1.UpdateOptions{})
			return controller.Result{}, p.Wrote(err)
		}
		if s.Live {
			returned := p.Calling()
			_, err := client.CoreV1().ConfigMaps(cm.Namespace).Get(ctx, cm.Name, metav1.GetOptions{})
			return controller.Result{}, returned(err)
		}
		return controller.Result{}, p.Work(ctx)
	}
	controller.New(m, "bench", maps.TypedInformer(), reconcile, controller.Options{Workers: s.Workers})
	return nil
}

func flunders(m *controller.Manager, s *program.Settings, p *program.Probe) error {
	client, err := versioned.NewForConfig(m.Config())
	if err != nil {
		return err
	}
	m.AddScheme(scheme.Scheme)
	kind := controller.AddFactory(m, wardleinformers.NewSharedInformerFactoryWithOptions(client, 0, wardleinformers.WithNamespace(s.Namespace))).Wardle().V1beta1().Flunders()
	reconcile := func(ctx context.Context, f *wardlev1beta1.Flunder) (controller.Result, error) {
		if token := p.Seen(f); token != "" {
			metav1.SetMetaDataAnnotation(&f.ObjectMeta, program.TokenAnnotation, token)
			_, err := client.WardleV1beta1().Flunders(f.Namespace).Update(ctx, f, metav1.UpdateOptions{})
			return controller.Result{}, p.Wrote(err)
		}
		return controller.Result{}, p.Work(ctx)
	}
	controller.New(m, "bench", kind.TypedInformer(), reconcile, controller.Options{Workers: s.Workers})
	return nil
}
