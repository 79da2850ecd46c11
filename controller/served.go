// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
)

// servedPeriod is the time between two questions of whether a resource is served.
const servedPeriod = 5 * time.Second

// Stopper is what can be stopped alone: a [Controller] or a [Runnable].
type Stopper interface {
	// Stop ends it. It does not wait.
	Stop()
	// Stopped is closed when nothing of it runs any more.
	Stopped() <-chan struct{}
}

// WhileServed calls start when the API server begins to serve a resource, such as that of a
// CustomResourceDefinition that is installed later, and stops what start has returned when the
// resource is not served any more. Then it waits until the resource is served again. Neither is an
// error, and what else the manager runs goes on. start adds to the manager what needs the resource:
//
//	m.WhileServed(gadgets, func() []controller.Stopper {
//		informer := controller.Standalone[*v1.Gadget](...) // a new one each time
//		return []controller.Stopper{controller.New(m, "gadget", informer, reconcile, controller.Options{})}
//	})
//
// It asks the API server about every five seconds, in a call to the discovery of the resource's group
// and version, which every account may read. If that call fails, all stays as it is, and the failure
// is logged. [Runnable.Stop] stops the waiting and what start has returned.
func (m *Manager) WhileServed(resource schema.GroupVersionResource, start func() []Stopper) *Runnable {
	name := "while " + resource.GroupResource().String() + " is served in " + resource.Version
	if start == nil || resource.Resource == "" || resource.Version == "" {
		m.setup.mistake(fmt.Errorf("WhileServed needs a version, a resource and a function: %v", resource))
		return &Runnable{&runnable{name: name, part: lifecycle.NewPart()}}
	}
	s := &served{resource: resource, start: start}
	m.planning.add(s)
	r := m.addRunnable(&runnable{name: name, class: lifecycle.Runnables, harmless: true, run: func(ctx context.Context) (err error) {
		if s.client, err = discovery.NewDiscoveryClientForConfig(m.Config()); err != nil {
			return fmt.Errorf("make a client for discovery: %w", err)
		}
		defer s.stop()
		wait.JitterUntilWithContext(ctx, func(ctx context.Context) {
			s.look(ctx)
			m.planning.looked(s, s.failed)
		}, servedPeriod, 0.1, true)
		return nil
	}})
	r.runnable.part.AfterStop(func() { m.planning.done(s) })
	return r
}

// served is what runs while a resource is served.
type served struct {
	resource schema.GroupVersionResource
	client   discovery.DiscoveryInterfaceWithContext
	start    func() []Stopper
	running  []Stopper
	is       bool
	failed   error // the last answer was this failure
}

// look asks whether the resource is served, and starts or stops what needs it.
func (s *served) look(ctx context.Context) {
	logger := klog.FromContext(ctx)
	is, err := s.ask(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		if s.failed == nil || s.failed.Error() != err.Error() {
			logger.Error(err, "Cannot tell whether a resource is served, trying again", "resource", s.resource.String())
		}
		s.failed = err
		return
	case is && !s.is:
		logger.Info("A resource is served, what needs it starts", "resource", s.resource.String())
		s.is = true
		s.running = s.start()
	case !is && s.is:
		logger.Info("A resource is not served any more, what needs it stops", "resource", s.resource.String())
		s.stop()
	}
	s.failed = nil
}

func (s *served) ask(ctx context.Context) (bool, error) {
	known, err := s.client.ServerResourcesForGroupVersionWithContext(ctx, s.resource.GroupVersion().String())
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(known.APIResources, func(resource metav1.APIResource) bool {
		return resource.Name == s.resource.Resource
	}), nil
}

// stop stops what runs, and waits for it.
func (s *served) stop() {
	for _, running := range s.running {
		running.Stop()
	}
	for _, running := range s.running {
		<-running.Stopped()
	}
	s.is, s.running = false, nil
}
