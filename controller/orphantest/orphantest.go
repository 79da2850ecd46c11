// SPDX-License-Identifier: Apache-2.0

// Package orphantest finds, in a test, calls through the clients of a manager that belong to no work of
// the manager: with a context from outside, such as context.Background(), or with the context of a
// reconcile that has returned. In production such a call is a line in the log; with [Check] it fails
// the test, with the line of code that made the call.
//
//	func TestMyController(t *testing.T) {
//		m := controller.NewManager(config, controller.ManagerOptions{})
//		orphantest.Check(t, m)
//		// Set the controllers up, run m, and end it.
//	}
//
// What the test itself asks of the API server, it asks with a client of its own, which is not made from
// Manager.Config. Calls before Run belong to the set-up, and are no orphans.
package orphantest

import (
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// T is the part of [testing.TB] that [Check] needs.
type T interface {
	Helper()
	Cleanup(f func())
	Errorf(format string, args ...any)
}

// Check fails a test, at its end, for each line of code that has made orphaned calls through the clients
// of a manager. Each line is told once, with its first call. Calls through the clients of other managers
// are not looked at: call Check for each.
//
// Check looks in a function of t.Cleanup, which run last in, first out. So call it before what ends the
// manager is given to t.Cleanup, or end the manager in the test: then calls of the shutdown are seen too.
//
// Some lines of code are not the test's to change, such as those of an old generator's informers. An orphan
// for which a function of except returns true is left out.
func Check(t T, m *controller.Manager, except ...func(report.Orphan) bool) {
	t.Helper()
	t.Cleanup(func() {
		t.Helper()
		for _, orphan := range m.Orphans() {
			if !excepted(orphan, except) {
				t.Errorf("orphaned call: %v", orphan)
			}
		}
	})
}

func excepted(orphan report.Orphan, except []func(report.Orphan) bool) bool {
	for _, is := range except {
		if is(orphan) {
			return true
		}
	}
	return false
}
