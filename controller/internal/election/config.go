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

	"k8s.io/apimachinery/pkg/types"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// ProcessAnnotation is an annotation of the Lease that names the candidate that holds it, by a
// random value. The holder's identity does not suffice: for the fence in the API server it is the
// name of the pod, and the containers of a pod can be restarted.
const ProcessAnnotation = "lanyard-k8s.github.io/process"

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

	// Client sends the requests for the Lease.
	Client coordinationv1client.LeasesGetter
	// Clock tells how long a term is valid.
	Clock term.Clock
	// Healthy returns nil, or the reason for which the lease must not be acquired or renewed. It is
	// called before each write, from one goroutine at a time. Nil: there is never such a reason.
	Healthy func() error
	// Reconnect is called when a request for the lease was not answered in time, so that the next
	// request uses another connection. Nil: nothing is called.
	Reconnect func()
}
