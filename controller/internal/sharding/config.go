// SPDX-License-Identifier: Apache-2.0

// Package sharding lets several replicas work at the same time, each on its share of the keys. The keys
// are divided into slots. A slot is a [term.Term]: one replica has it, or none.
//
// Leases say who has what. Each replica renews one Lease, its membership, with client-go's elector. Each
// slot has a Lease that names the membership which holds it; it is written only when the slot moves, and
// it is worth as much as that membership. So N replicas send N renewals a period, whatever the number of
// slots is.
//
// Why a slot is never in two hands:
//   - A replica writes a slot's Lease only with the version that it has seen, so that of two only one
//     succeeds, and only when the last holder has given the slot back or its membership is over.
//   - A membership is over when it was given back, or when nobody has seen a renewal for its whole
//     duration. Who finds that says so in the Lease itself, with the version that was not renewed: a
//     renewal that was sent meanwhile fails, or makes that write fail.
//   - A membership is over at once when it is proved that its process has ended. That is said in the Lease in
//     the same way.
//   - The holder's terms end earlier, by the margin, counted from when the renewal was sent. They count
//     only renewals that have come back through the watch of all Leases. So the holder has seen whatever
//     others have done to the Leases of its slots before that, or its terms end in time.
//   - A Lease that somebody has emptied, edited or deleted is left alone for the whole duration.
//
// A slot moves in order: its items are cancelled or finish, all have returned, then its Lease is emptied,
// and the next replica takes it when its watch shows that.
package sharding

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/witness"
)

// Config is what a Keeper needs.
type Config struct {
	// Name is the namespace and name of all replicas that share the keys. The Leases are named after it.
	Name     types.NamespacedName
	Identity string
	Slots    int
	// Key names the function from objects to keys. All replicas must have the same.
	Key string

	LeaseDuration time.Duration
	RenewDeadline time.Duration
	RetryPeriod   time.Duration
	Margin        time.Duration

	Home    *election.Home   // where this process runs, if it is known
	Witness *witness.Witness // says of others' processes whether they have ended; nil: only their Leases do

	Client coordinationv1client.LeasesGetter
	// Clock tells how long this replica's terms are valid, and Elapsed how long others have not renewed
	// theirs. The latter may stand still while the machine is suspended, because to wait longer is safe.
	// Nil for Elapsed: the monotonic clock.
	Clock, Elapsed term.Clock

	Healthy   func() error // as election.Config has it
	Reconnect func()

	// Warm waits for what the work needs before it can start at once, such as full caches.
	Warm func(ctx context.Context) error
	// Prepare waits until what the slots need that Keeper.Needs names is there, as far as it is worth to wait:
	// before this replica takes part, when it knows what its share will be. Nil for nothing.
	Prepare func(ctx context.Context)
	// Moved is called when Keeper.Needs has changed. It must return at once. Nil for nothing.
	Moved func()
	// Gained is called when this replica has got a slot and Table has it.
	Gained func(ctx context.Context, slot *Slot)
	// Gone is called when all work of a slot has returned and its term has ended. ctx may have ended.
	Gone func(ctx context.Context, slot *Slot)
	// Over is called when no slot is left of a membership that is over, and all of its work has returned.
	Over func(membership *term.Term)
	// Fail ends the manager: work of a slot does not return.
	Fail func(error)
	// ShutdownTimeout bounds the wait for the work of a slot that moves.
	ShutdownTimeout time.Duration
}

func (c *Config) moved() {
	if c.Moved != nil {
		c.Moved()
	}
}

func (c *Config) elapsed() term.Clock {
	if c.Elapsed != nil {
		return c.Elapsed
	}
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}

// division says how the keys are divided, for replicas to compare.
func (c *Config) division() string { return fmt.Sprintf("%d slots by %s", c.Slots, c.Key) }

// candidate makes a candidate for the membership. Each has a process of its own.
func (c *Config) candidate(
	renewed func(*coordinationv1.Lease, time.Duration),
) *election.Candidate {
	return election.New(election.Config{
		Lease:    types.NamespacedName{Namespace: c.Name.Namespace, Name: c.names().member(c.Identity)},
		Identity: c.Identity, LeaseDuration: c.LeaseDuration, RenewDeadline: c.RenewDeadline,
		RetryPeriod: c.RetryPeriod, Margin: c.Margin, Labels: c.names().labels(kindMember),
		Annotations: map[string]string{divisionAnnotation: c.division()},
		Client:      c.Client, Home: c.Home, Witness: c.Witness, Clock: c.Clock, Healthy: c.Healthy, Reconnect: c.Reconnect, Renewed: renewed,
	})
}

func (c *Config) names() names { return names{set: c.Name.Name} }

// leases returns the client of the Leases.
func (c *Config) leases() coordinationv1client.LeaseInterface {
	return c.Client.Leases(c.Name.Namespace)
}
