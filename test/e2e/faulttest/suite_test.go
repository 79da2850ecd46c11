// SPDX-License-Identifier: Apache-2.0

// Package faulttest_test has package faulttest find planted bugs, on a real API server, and find none in the sample.
package faulttest_test

import (
	"context"
	"os"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{
		Started: func(p *controlplane.ControlPlane) { plane = p },
		Stopped: func() { close(left) },
	}))
}

// shop is what the reconcilers of these tests work with: ConfigMaps with the label role=parent have a child.
type shop struct {
	namespace string
	client    kubernetes.Interface // the manager's
	plain     kubernetes.Interface // not the manager's: its calls do not end with the manager
	children  cache.Indexer
	memory    sync.Map // of this process
}

// reconcileFunc is a reconciler of these tests.
type reconcileFunc func(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error)

// wiring is what differs between the programs of these tests.
type wiring struct {
	reconcile reconcileFunc
	options   controller.Options
	leads     bool // with leader election
	noOwns    bool // changes of children do not wake their parents
}

// program wires a reconciler as in production.
func program(w wiring) faulttest.Program {
	return faulttest.Program{
		Run: func(ctx context.Context, config *rest.Config, namespace string) error {
			options := controller.ManagerOptions{}
			if w.leads {
				options.LeaderElection = &controller.LeaderElection{Namespace: namespace, Name: "shop", Identity: "shop"}
			}
			m := controller.NewManager(config, options)
			client, err := kubernetes.NewForConfig(m.Config())
			if err != nil {
				return err
			}
			plain, err := kubernetes.NewForConfig(config)
			if err != nil {
				return err
			}
			children := informer(client, namespace, "role=child")
			s := &shop{namespace: namespace, client: client, plain: plain, children: children.GetIndexer()}
			c := controller.New(m, "shop", informer(client, namespace, "role=parent"),
				func(ctx context.Context, parent *corev1.ConfigMap) (controller.Result, error) {
					return w.reconcile(ctx, s, parent)
				}, w.options)
			if w.noOwns {
				m.AddInformer(children, controller.InformerOptions{})
			} else {
				controller.Owns(c, children)
			}
			return m.Run(ctx)
		},
		Objects: []runtime.Object{&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: map[string]string{"role": "parent"}}}},
	}
}

func informer(client kubernetes.Interface, namespace, selector string) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
	return controller.Standalone[*corev1.ConfigMap](coreinformers.NewFilteredConfigMapInformer(client, namespace, 0, cache.Indexers{},
		func(o *metav1.ListOptions) { o.LabelSelector = selector }), controller.InformerOptions{})
}

// childOf is the right child of a parent.
func childOf(parent *corev1.ConfigMap) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: parent.Namespace, Name: parent.Name + "-child", Labels: map[string]string{"role": "child"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "ConfigMap", Name: parent.Name, UID: parent.UID, Controller: ptr.To(true),
			}},
		},
		Data: map[string]string{"of": parent.Name},
	}
}
