// SPDX-License-Identifier: Apache-2.0

package faulttest_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	crreconcile "sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

// onControllerRuntime is a program that is not built with Lanyard.
func onControllerRuntime(reconcile func(ctx context.Context, api client.Client, parent *corev1.ConfigMap) error) faulttest.Program {
	p := program(wiring{})
	p.Run = func(ctx context.Context, config *rest.Config, _ string) error {
		skip := true
		mgr, err := ctrl.NewManager(config, ctrl.Options{
			Scheme: clientgoscheme.Scheme, Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
			Controller: ctrlconfig.Controller{SkipNameValidation: &skip}, // there are many in this process
		})
		if err != nil {
			return err
		}
		err = ctrl.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).Owns(&corev1.ConfigMap{}).
			Complete(crreconcile.Func(func(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
				parent := &corev1.ConfigMap{}
				if err := mgr.GetClient().Get(ctx, req.NamespacedName, parent); err != nil {
					return ctrl.Result{}, client.IgnoreNotFound(err)
				}
				if parent.Labels["role"] != "parent" || parent.DeletionTimestamp != nil {
					return ctrl.Result{}, nil
				}
				return ctrl.Result{}, reconcile(ctx, mgr.GetClient(), parent)
			}))
		if err != nil {
			return err
		}
		return mgr.Start(ctx)
	}
	return p
}

func TestAProgramOnControllerRuntimeWithoutABugHasNoFailure(t *testing.T) {
	faulttest.Explore(t, plane.Config(), onControllerRuntime(func(ctx context.Context, api client.Client, parent *corev1.ConfigMap) error {
		child := childOf(parent)
		err := api.Get(ctx, client.ObjectKeyFromObject(child), &corev1.ConfigMap{})
		if client.IgnoreNotFound(err) == nil && err != nil {
			err = api.Create(ctx, child)
		}
		return err
	}), faulttest.Options{Budget: 30 * time.Second})
}

func TestABugOfAProgramOnControllerRuntimeIsFound(t *testing.T) {
	report, err := faulttest.Run(t.Context(), plane.Config(), onControllerRuntime(func(ctx context.Context, api client.Client, parent *corev1.ConfigMap) error {
		var children corev1.ConfigMapList
		err := api.List(ctx, &children, &client.ListOptions{Namespace: parent.Namespace, LabelSelector: labels.Set{"role": "child"}.AsSelector()})
		if err != nil || len(children.Items) > 0 {
			return err
		}
		child := childOf(parent)
		child.Name, child.GenerateName = "", parent.Name+"-"
		return api.Create(ctx, child)
	}), faulttest.Options{Modes: []faulttest.Mode{faulttest.StaleReset, faulttest.FailedBefore}, Patience: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Failures {
		t.Logf("%+v", f)
		if f.Oracle == faulttest.O3 {
			return
		}
	}
	t.Error("a child that is made twice is not found")
}
