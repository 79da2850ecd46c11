// SPDX-License-Identifier: Apache-2.0

// Package controller is a framework for Kubernetes controllers in which one [context.Context] runs
// through everything: from [Manager.Run] through leadership, controller and item into every API
// call. When that context ends, everything below it ends in the same instant, with a cause, and Run
// returns when all has returned, or names what has not.
//
// A program makes a [Manager] from a [k8s.io/client-go/rest.Config], builds clients and generated
// informers from [Manager.Config], adds controllers with [New], adds the objects that concern them
// with [Owns] and [Watches], and calls [Manager.Run]:
//
//	m := controller.NewManager(config, controller.ManagerOptions{})
//	client := kubernetes.NewForConfigOrDie(m.Config())
//	factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
//	maps := factory.Core().V1().ConfigMaps().TypedInformer()
//	controller.New(m, "hello", maps, reconcile, controller.Options{})
//	err := m.Run(ctx)
//
// What is added before Run begins starts with it. Mistakes in that are returned by Run, all at once,
// before it starts anything. Controllers, sources and runnables can also be added to a running
// manager, and each can be stopped alone.
//
// Packages below this one: cause says why a context ended; reconcile has the vocabulary of a
// reconcile; report has the accounts of a shutdown; events writes Kubernetes events; tracing
// follows work with OpenTelemetry; plan has what a dry run would change; rbac has the permissions that a
// program uses; orphantest finds calls in a test that belong to no work. The promises of the framework are
// listed in docs/contract.md.
package controller
