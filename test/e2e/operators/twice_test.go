// SPDX-License-Identifier: Apache-2.0

package operators_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
)

// TestObjectsThatAreCachedTwiceAreToldOnce, by two set-ups that each make a factory.
func TestObjectsThatAreCachedTwiceAreToldOnce(t *testing.T) {
	e := newEnv(t)
	m := controller.NewManager(unlimited(plane.Config()), controller.ManagerOptions{})
	client := kubernetes.NewForConfigOrDie(m.Config())
	for range 3 {
		factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(e.namespace)))
		m.AddInformer(factory.Core().V1().ConfigMaps().TypedInformer(), controller.InformerOptions{})
	}
	m.AddInformer(controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(e.addNamespace()))).
		Core().V1().ConfigMaps().TypedInformer(), controller.InformerOptions{}) // another selection
	log := &output.Buffer{}
	ctx, stop := context.WithCancel(klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewTextHandler(log, nil))))
	defer stop()
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	const told = "Several informers list and watch the same objects"
	e.eventually("it is told", func() bool { return strings.Contains(log.String(), told) })
	stop()
	if err := <-done; err != nil || strings.Count(log.String(), told) != 1 {
		t.Errorf("Run returned %v, the log is\n%s", err, log)
	}
}
