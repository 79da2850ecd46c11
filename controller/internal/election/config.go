// SPDX-License-Identifier: Apache-2.0

// Package election campaigns for a Lease with client-go's elector, and makes terms of leadership
// of what it wins.
//
// client-go decides how and when to try. Three things are decided here, because client-go decides
// them too late or without looking: until when a renewal is valid, when a term is over, and how the
// lease is released.
//
// A [Candidate] campaigns for one Lease. A process may have any number of candidates.
package election

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/witness"
)

// EndedAnnotation is an annotation of a Lease that nobody holds. It has the value of ProcessAnnotation of
// the holder that gave the Lease back, or whose end was proved.
const EndedAnnotation = "lanyard-k8s.github.io/ended"

// ProcessAnnotation is an annotation of the Lease that names the candidate that holds it, by a
// random value. The holder's identity does not suffice: for the fence in the API server it is the
// name of the pod, and the containers of a pod can be restarted.
const ProcessAnnotation = "lanyard-k8s.github.io/process"

// HolderAnnotation is an annotation of the Lease that says in which container of which pod its holder
// runs. It is JSON. It has the holder's identity and process too, because a program that knows nothing
// of the annotation leaves it as it is when it takes the Lease.
const HolderAnnotation = "lanyard-k8s.github.io/holder"

// Home is where a process runs.
type Home struct {
	witness.Container
	// Instance tells one run of the container from another: all processes of one run have the same.
	// "": it is not known.
	Instance string `json:"instance,omitempty"`
}

// Config describes a candidate and its Lease.
type Config struct {
	// Lease is the Lease's namespace and name.
	Lease types.NamespacedName
	// Identity is written to the Lease as its holder. Each process has its own.
	Identity string

	// LeaseDuration, RenewDeadline and RetryPeriod are those of client-go's elector. LeaseDuration
	// is in whole seconds.
	LeaseDuration time.Duration
	RenewDeadline time.Duration
	RetryPeriod   time.Duration
	// Margin is how much earlier a term ends than others may take the lease.
	Margin time.Duration

	// Labels and Annotations are those of the Lease, besides its own. They are written with each renewal.
	Labels, Annotations map[string]string

	// Home is where this process runs. It is written to the Lease, so that the end of the process can be
	// proved. Nil: it is not known, and others wait until the Lease expires.
	Home *Home
	// Witness says of other holders whether they have ended. Candidates may share one. Nil: only what
	// runs in this process's own container before it is known to have ended.
	Witness *witness.Witness

	// Client sends the requests for the Lease.
	Client coordinationv1client.LeasesGetter
	// Clock tells how long a term is valid.
	Clock term.Clock
	// Healthy returns nil, or the reason for which the lease must not be acquired or renewed. It is
	// called before each write, from one goroutine at a time. Nil: there is never such a reason.
	Healthy func() error
	// Renewed is called when a write has made or kept this candidate the holder, with the Lease and the
	// moment, by Clock, in which the write was sent. It must return at once. Nil: nothing is called.
	Renewed func(lease *coordinationv1.Lease, sent time.Duration)
	// Reconnect is called when a request for the lease was not answered in time, so that the next
	// request uses another connection. Nil: nothing is called.
	Reconnect func()
}
