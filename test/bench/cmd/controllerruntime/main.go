// SPDX-License-Identifier: Apache-2.0

// The program under test on controller-runtime, written as its documentation says: a manager with its
// defaults, the builder, and the manager's client, which reads from the cache.
package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

func main() { program.Main(context.Background(), run) }

func run(ctx context.Context, config *rest.Config, s *program.Settings, p *program.Probe) error {
	ctrl.SetLogger(zap.New())
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(wardlev1beta1.AddToScheme(scheme))
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme,
		Cache:  cache.Options{DefaultNamespaces: map[string]cache.Config{s.Namespace: {}}},
		// The metrics are kept; only no port is opened, as in Kubebuilder's scaffold, since several run at a time.
		Metrics:                       metricsserver.Options{BindAddress: "0"},
		LeaderElection:                s.Elect,
		LeaderElectionID:              "controllerruntime",
		LeaderElectionNamespace:       s.Namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return err
	}
	r := &reconciler{Client: mgr.GetClient(), reader: mgr.GetAPIReader(), live: s.Live, probe: p,
		newObject: func() object { return &corev1.ConfigMap{} }}
	if s.Flunders() {
		r.newObject = func() object { return &wardlev1beta1.Flunder{} }
	}
	err = ctrl.NewControllerManagedBy(mgr).
		Named("bench").
		For(r.newObject()).
		WithOptions(controller.Options{MaxConcurrentReconciles: s.Workers}).
		Complete(r)
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}

type object = client.Object

type reconciler struct {
	client.Client
	reader    client.Reader
	live      bool
	probe     *program.Probe
	newObject func() object
}

// Reconcile does what the workload says.
func (r *reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	o := r.newObject()
	if err := r.Get(ctx, req.NamespacedName, o); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if token := r.probe.Seen(o); token != "" {
		annotate(o, token)
		return ctrl.Result{}, r.probe.Wrote(r.Update(ctx, o))
	}
	if r.live {
		returned := r.probe.Calling()
		return ctrl.Result{}, returned(r.reader.Get(ctx, req.NamespacedName, r.newObject()))
	}
	return ctrl.Result{}, r.probe.Work(ctx)
}

func annotate(o metav1.Object, token string) {
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[program.TokenAnnotation] = token
	o.SetAnnotations(annotations)
}
