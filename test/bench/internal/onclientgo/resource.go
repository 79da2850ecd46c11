// SPDX-License-Identifier: Apache-2.0

package onclientgo

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	wardleinformers "github.com/lanyard-k8s/lanyard/informers/externalversions"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

// resource is what the controller needs of its kind.
type resource struct {
	informer cache.SharedIndexInformer
	start    func(ctx context.Context)
	stop     func()
	get      func(ref cache.ObjectName) (metav1.Object, error) // from the lister: not to be changed
	write    func(ctx context.Context, object metav1.Object, token string) error
	live     func(ctx context.Context, ref cache.ObjectName) error
}

func newResource(configs Configs, s *program.Settings) (*resource, error) {
	if s.Flunders() {
		return flunders(configs, s)
	}
	return configMaps(configs, s)
}

func configMaps(configs Configs, s *program.Settings) (*resource, error) {
	client, err := kubernetes.NewForConfig(configs.Calls)
	if err != nil {
		return nil, err
	}
	watching, err := kubernetes.NewForConfig(configs.Watches)
	if err != nil {
		return nil, err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(watching, 0, informers.WithNamespace(s.Namespace))
	maps := factory.Core().V1().ConfigMaps()
	lister := maps.Lister()
	return &resource{
		informer: maps.Informer(),
		start:    factory.StartWithContext,
		stop:     factory.Shutdown,
		get: func(ref cache.ObjectName) (metav1.Object, error) {
			return lister.ConfigMaps(ref.Namespace).Get(ref.Name)
		},
		write: func(ctx context.Context, object metav1.Object, token string) error {
			changed := object.(*corev1.ConfigMap).DeepCopy()
			metav1.SetMetaDataAnnotation(&changed.ObjectMeta, program.TokenAnnotation, token)
			_, err := client.CoreV1().ConfigMaps(changed.Namespace).Update(ctx, changed, metav1.UpdateOptions{})
			return err
		},
		live: func(ctx context.Context, ref cache.ObjectName) error {
			_, err := client.CoreV1().ConfigMaps(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
			return err
		},
	}, nil
}

func flunders(configs Configs, s *program.Settings) (*resource, error) {
	client, err := versioned.NewForConfig(configs.Calls)
	if err != nil {
		return nil, err
	}
	watching, err := versioned.NewForConfig(configs.Watches)
	if err != nil {
		return nil, err
	}
	factory := wardleinformers.NewSharedInformerFactoryWithOptions(watching, 0, wardleinformers.WithNamespace(s.Namespace))
	kind := factory.Wardle().V1beta1().Flunders()
	lister := kind.Lister()
	return &resource{
		informer: kind.Informer(),
		start:    factory.StartWithContext,
		stop:     factory.Shutdown,
		get: func(ref cache.ObjectName) (metav1.Object, error) {
			return lister.Flunders(ref.Namespace).Get(ref.Name)
		},
		write: func(ctx context.Context, object metav1.Object, token string) error {
			changed := object.(*wardlev1beta1.Flunder).DeepCopy()
			metav1.SetMetaDataAnnotation(&changed.ObjectMeta, program.TokenAnnotation, token)
			_, err := client.WardleV1beta1().Flunders(changed.Namespace).Update(ctx, changed, metav1.UpdateOptions{})
			return err
		},
		live: func(ctx context.Context, ref cache.ObjectName) error {
			_, err := client.WardleV1beta1().Flunders(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
			return err
		},
	}, nil
}
