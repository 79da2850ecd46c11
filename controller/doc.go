// Package controller is a framework for Kubernetes controllers in which one [context.Context] runs
// through everything: from the one given to [Manager.Run], through controller and work item, into
// every API call. When it ends, everything below it ends in the same instant, with a cause, and Run
// returns when all has returned, or names what has not.
//
// A program makes a [Manager] from a [k8s.io/client-go/rest.Config], builds its clients and generated
// informers from the manager's own [Manager.Config], adds controllers with [New], says with [Owns] and
// [Watches] which other objects concern them, and calls Run:
//
//	m := controller.NewManager(config, controller.Options{})
//	client := kubernetes.NewForConfigOrDie(m.Config())
//	factory := informers.NewSharedInformerFactory(client, 0)
//	controller.New(m, "hello", factory.Core().V1().ConfigMaps().TypedInformer(), reconcile, controller.ControllerOptions{})
//	err := m.Run(ctx)
//
// # The contract
//
// The lines of the contract that hold so far, and where each is made true:
//
//	C1   one tree of contexts, values visible everywhere   internal/tree, run.go, source.go
//	C2   every end has a cause                             package cause, internal/transport
//	C3   the root's end is everyone's, in the same instant internal/tree
//	C4   after the end nothing new starts                  worker.go
//	C5   an item that ended with its context has not failed outcome.go
//	C6   items in flight are cancelled, or drain             run.go, internal/tree
//	C7   Run waits for everything, or names the stragglers  run.go, report.go
//	C8   the end has an order, for waiting only             run.go
//	C9   every item has a deadline, with a reserve          deadline.go, internal/work
//	C10  superseded items are cancelled and taken again     supersede.go
//	C11  a panic ends the item, not the process             worker.go
//	C12  leadership is a context with a deadline            internal/term
//	C13  another holder ends the term at once               internal/election (lock.go, watch.go)
//	C14  no write leaves after the term                     internal/transport (conns.go)
//	C15  released last, and only what is ours               internal/election (candidate.go)
//	C16  a stand-by watches the lease, and is warm          internal/election (watch.go), leadership.go
//	C17  campaigns again when all of the term has returned  leadership.go
//	C18  the API server refuses who does not lead           config/fence, internal/transport (refusal.go)
//	C22  no process-wide state                              everywhere; state_test.go
//	C23  nothing implicit; a bounded, named wait for sync   informers.go
//	C24  reconcilers get copies; managedFields are dropped  worker.go, informers.go
//	C25  watches, calls and the lease on their own          internal/transport (pool.go)
//	C26  the server is told the deadline                    internal/transport (deadline.go)
//	C27  a stuck process gives up leadership                health.go
package controller
