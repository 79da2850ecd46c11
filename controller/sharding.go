// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Sharding lets several replicas work at the same time, each on its share of the objects.
//
// The objects are divided into slots by a key, which is the namespace by default, so that an object and
// what it owns are in one slot. Each replica holds a Lease, which it renews, and each slot has a Lease that
// names the replica which works on it. A slot is like a term of leadership: its loss ends the contexts of
// its objects' reconciles with [cause.ShardLost], and no write for it is sent from then on.
//
// A slot that moves to another replica is given up in order: its reconciles are cancelled, or finish within
// the drain time; when all have returned, the next replica takes it. When a replica joins or leaves, only its
// share moves. After a crash the others share what it had when its Lease has expired.
//
// All replicas must have the same Slots and Key. One that has others does not work until all of the former
// have ended. The times must satisfy what [LeaderElection] says. Each replica sends one renewal per
// RetryPeriod, whatever the number of slots is.
type Sharding struct {
	// Namespace is the Leases' namespace. Default: the pod's.
	Namespace string

	// Name is what the Leases are named after, and a Lease of that name is held while slots are in use, so
	// that a replica with LeaderElection by the same Name waits. It is required.
	Name string

	// Identity names this process. Two processes with the same identity are told apart and do not work
	// together. Default: the host's name, which in a pod is the pod's name.
	Identity string

	// Slots is the number of slots. Slots are the least that can move, so there should be several for each
	// replica. Each has a Lease, which is written only when it moves. Default: 64, for up to some dozen
	// replicas. At most 1024.
	Slots int

	// Key divides the objects. Default: [ShardByNamespace].
	Key ShardKey

	// LeaseDuration, RenewDeadline, RetryPeriod and Margin are those of [LeaderElection], with its defaults.
	LeaseDuration time.Duration
	RenewDeadline time.Duration
	RetryPeriod   time.Duration
	Margin        time.Duration

	// Pod says in which container this process runs: see LeaderElection.Pod. The same container, when it was
	// started again, then does not wait for its Lease to expire, and neither do the others for its slots. If
	// the permission to get, list and watch pods in the pod's namespace is there, each replica watches the pods
	// of two others, and the slots of one whose container has ended are taken at once. Default: nil.
	Pod *LeaderPod
}

// ShardKey divides objects.
type ShardKey struct {
	// Name names the function, for replicas to compare. It is required.
	Name string
	// Of returns the key of an object. Objects of one key are in one slot. It is called for each event, on
	// many goroutines, must not block, and must always return the same for an object.
	Of func(request Request) string
}

// ShardByNamespace is the key by which all objects of a namespace are in one slot. An object without a
// namespace goes by its name.
func ShardByNamespace() ShardKey {
	return ShardKey{Name: "namespace", Of: func(request Request) string {
		return cmp.Or(request.Namespace, request.Name)
	}}
}

// ShardByName is the key by which each object has its own place. Objects of one name and namespace are in
// one slot, whatever their kinds are.
func ShardByName() ShardKey {
	return ShardKey{Name: "name", Of: func(request Request) string { return request.String() }}
}

const (
	defaultSlots = 64
	maxSlots     = 1024
)

// complete sets the defaults and returns what is wrong.
func (o *Sharding) complete() error {
	if o.Key.Name == "" && o.Key.Of == nil {
		o.Key = ShardByNamespace()
	}
	o.Slots = cmp.Or(o.Slots, defaultSlots)
	election := o.membership()
	errs := []error{election.complete("ManagerOptions.Sharding")}
	o.Namespace, o.Identity = election.Namespace, election.Identity
	o.LeaseDuration, o.RenewDeadline = election.LeaseDuration, election.RenewDeadline
	o.RetryPeriod, o.Margin = election.RetryPeriod, election.Margin
	if len(o.Name) > validation.LabelValueMaxLength {
		errs = append(errs, fmt.Errorf("the Name %q has %d characters: set ManagerOptions.Sharding.Name to one of at most %d, "+
			"because the Leases have it as a label", o.Name, len(o.Name), validation.LabelValueMaxLength))
	}
	if o.Slots < 1 || o.Slots > maxSlots {
		errs = append(errs, fmt.Errorf("there are %d Slots: set ManagerOptions.Sharding.Slots to between 1 and %d", o.Slots, maxSlots))
	}
	if o.Key.Name == "" || o.Key.Of == nil {
		errs = append(errs, errors.New("ManagerOptions.Sharding.Key needs a Name and a function Of: set both, or neither"))
	}
	return errors.Join(errs...)
}

// membership returns the options of the Lease that this process renews.
func (o *Sharding) membership() *LeaderElection {
	return &LeaderElection{
		Namespace: o.Namespace, Name: o.Name, Identity: o.Identity, LeaseDuration: o.LeaseDuration,
		RenewDeadline: o.RenewDeadline, RetryPeriod: o.RetryPeriod, Margin: o.Margin, Pod: o.Pod,
	}
}

func (o *Sharding) name() types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
}
