// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"time"
)

// ManagerOptions configures a [Manager]. The zero value works.
type ManagerOptions struct {
	// SyncTimeout limits the wait for a controller's caches to sync at the start. When it is over, Run
	// ends with the last list or watch error of each cache that has not synced. A controller that was
	// added after Run has begun, or has started before, goes on trying: the errors are logged when the
	// time is over and then once a minute, and [Manager.Ready] has them. Default: one minute.
	SyncTimeout time.Duration

	// ShutdownTimeout limits how long Run waits, after it has ended the contexts, for everything to
	// return. When it is over, Run returns a [*ShutdownError] that names what has not returned.
	// Default: 20 seconds, which leaves a pod ten seconds of its default grace period.
	ShutdownTimeout time.Duration

	// DrainTimeout is how long items in flight may go on after the shutdown has begun. Items that
	// have not finished by then are cancelled with [cause.DrainExpired]. It must be shorter than
	// ShutdownTimeout. Default: zero, which cancels items at once. See also [Manager.CancelDrain].
	DrainTimeout time.Duration

	// CallTimeouts limits each call that items make.
	CallTimeouts CallTimeouts

	// Connections is the number of HTTP/2 connections that carry reads, and writes that need no
	// leadership. As many more connections carry the writes that need leadership. Watches and the
	// Lease have their own. A connection carries at most 90 concurrent requests; further requests
	// wait. Default: enough for one request per worker.
	Connections int

	// LeaderElection lets only one of several replicas work. Default: nil, with which every replica
	// works.
	LeaderElection *LeaderElection

	// Sharding lets all replicas work, each on its share of the objects, for controllers with
	// Options.Sharded. It can be combined with LeaderElection, for the other controllers. Default: nil.
	Sharding *Sharding

	// DryRun makes the manager find out what it would do, without doing it: call [Manager.Plan] in place of
	// Run. Default: nil.
	DryRun *DryRun

	// Telemetry traces and measures the manager.
	Telemetry Telemetry

	// DetectMutations makes Run end with an error that names the object and shows the change, if the
	// program changes an object in a cache in place. Objects of listers, indexers and events are
	// shared: change a copy. Use it in tests: it keeps a copy of each object, and compares them every
	// second. With the race detector, the detector's read may also be reported as a race with the
	// change. Default: false. See also Options.DetectMutations.
	DetectMutations bool

	// ErrorTexts lets [Manager.Snapshot] and [Manager.Stories] have the texts of the errors that reconcile
	// functions return. A program may put content of objects into them, and so may the API server when it refuses
	// a value. Default: false, with which they say only what is known of an error without its text.
	ErrorTexts bool

	// StragglerStacks adds to the [report.Shutdown] the stack of each piece of work that did not
	// return in time. Collecting them stops the process while it writes the stacks of all
	// goroutines. Default: false.
	StragglerStacks bool
}

// CallTimeouts limits how long one call may take, so that it cannot use up all the time of a
// reconcile. There is one limit for reads from the API server, one for writes, and one for calls to
// other systems. A call that takes longer ends with [cause.CallTimeout], and the reconcile goes on.
// A negative value means no limit. Options.Timeout limits the whole reconcile in any case.
type CallTimeouts struct {
	// Read limits each attempt at a get or list. Watches have no limit. Default: 30 seconds.
	Read time.Duration
	// Write limits each attempt at all other calls. Default: 30 seconds.
	Write time.Duration
	// External limits what runs on a context from [ExternalContext]. Default: one minute.
	External time.Duration
}

func (o *ManagerOptions) setDefaults() {
	o.SyncTimeout = cmp.Or(o.SyncTimeout, time.Minute)
	o.ShutdownTimeout = cmp.Or(o.ShutdownTimeout, 20*time.Second)
	o.CallTimeouts.Read = cmp.Or(o.CallTimeouts.Read, 30*time.Second)
	o.CallTimeouts.Write = cmp.Or(o.CallTimeouts.Write, 30*time.Second)
	o.CallTimeouts.External = cmp.Or(o.CallTimeouts.External, time.Minute)
	o.Telemetry.FlushTimeout = cmp.Or(o.Telemetry.FlushTimeout, 2*time.Second)
}
