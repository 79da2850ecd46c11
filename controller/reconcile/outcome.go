// SPDX-License-Identifier: Apache-2.0

package reconcile

// Outcome is how a reconcile ended. The set is bounded: it is a label of metrics, an attribute of
// spans and a value in logs.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"      // it returned nil
	Requeued  Outcome = "requeue"   // it returned nil and a time: see Result
	Retried   Outcome = "retry"     // it failed, and is tried again after a back-off
	Terminal  Outcome = "terminal"  // it failed, and is not tried again for that: see TerminalError
	Cancelled Outcome = "cancelled" // its context was cancelled, which is no failure
	TimedOut  Outcome = "timeout"   // it used up its time, and is tried again after a back-off
	Panicked  Outcome = "panic"     // it panicked, and is tried again after a back-off
)

// WillRetry reports whether the object is tried again after a back-off.
func (o Outcome) WillRetry() bool { return o == Retried || o == TimedOut || o == Panicked }
