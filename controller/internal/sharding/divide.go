// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/internal/election"
)

// forever is the duration of a Lease that is held without renewals. The root has it, so that a process
// which campaigns for a Lease of that name, because it knows only leader election, waits.
const forever = int32(1<<31 - 1)

// soonError says that the Leases have just been made: the watch will show them.
type soonError struct{}

func (soonError) Error() string { return "the keys are being divided" }

// refusedError says why this replica may not work beside the others.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

func refuse(format string, args ...any) error { return &refusedError{fmt.Sprintf(format, args...)} }

// divider makes the Leases that say how the keys are divided.
type divider struct{ *writer }

// divide makes sure that all replicas divide the keys as this one does, and returns the epoch of the
// division: the slots of each epoch have Leases of their own. Another division is replaced only when none
// of its slots is held: each is retired first, so that it can never be taken again. The error says that
// this replica has to wait.
func (d *divider) divide(ctx context.Context) (epoch int, err error) {
	root := d.view.rootLease()
	if root == nil {
		return d.found(ctx)
	}
	epoch = numberIn(root, epochAnnotation)
	division := root.Annotations[divisionAnnotation]
	changes := d.view.hasRetired(epoch)
	if division == d.config.division() && epoch >= 0 {
		if changes {
			return 0, refuse("the keys are being divided in another way than into %s, by a replica that may do so: "+
				"give all replicas the same Slots and Key", division)
		}
		return epoch, nil
	}
	before := numberIn(root, slotsAnnotation)
	if epoch < 0 || before <= 0 {
		return 0, refuse("the lease %s/%s says that it divides the keys, but not how: "+
			"stop all replicas and delete it", root.Namespace, root.Name)
	}
	others := d.view.live(division)
	if len(others) > 0 && !changes {
		return 0, refuse("the keys are divided into %s, by %s, and this replica would divide them into %s: "+
			"it works when those have ended", division, strings.Join(others, ", "), d.config.division())
	}
	if left := d.retire(ctx, epoch, before); left > 0 {
		return 0, refuse("the keys are divided into %s, and this replica would divide them into %s: "+
			"it works when nobody holds the last %d of those slots", division, d.config.division(), left)
	}
	if err := d.makeSlots(ctx, epoch+1); err != nil {
		return 0, err
	}
	klog.FromContext(ctx).Info("The keys are divided anew", "leases", d.config.Name.String(),
		"before", root.Annotations[divisionAnnotation], "now", d.config.division())
	if err := d.write(ctx, d.stamp(root.DeepCopy(), epoch+1)); err != nil {
		return 0, err
	}
	return 0, soonError{}
}

// stamp writes the division to the root.
func (d *divider) stamp(root *coordinationv1.Lease, epoch int) *coordinationv1.Lease {
	now := metav1.NowMicro()
	for key, value := range d.config.names().labels(kindRoot) {
		metav1.SetMetaDataLabel(&root.ObjectMeta, key, value)
	}
	metav1.SetMetaDataAnnotation(&root.ObjectMeta, divisionAnnotation, d.config.division())
	metav1.SetMetaDataAnnotation(&root.ObjectMeta, slotsAnnotation, strconv.Itoa(d.config.Slots))
	metav1.SetMetaDataAnnotation(&root.ObjectMeta, epochAnnotation, strconv.Itoa(epoch))
	root.Spec.HolderIdentity = ptr.To("sharding: " + d.config.division())
	root.Spec.LeaseDurationSeconds = ptr.To(forever)
	root.Spec.AcquireTime = &now
	root.Spec.RenewTime = &now
	root.Spec.LeaseTransitions = ptr.To(int32(election.TransitionsOf(root) + 1))
	return root
}

// found divides the keys for the first time, or again if somebody has deleted the root.
func (d *divider) found(ctx context.Context) (epoch int, err error) {
	epoch, division, open := d.view.newestEpoch()
	if open && division != d.config.division() {
		return 0, refuse("the lease %s is gone, and its slots are those of %s: start a replica that divides the keys so, "+
			"or stop all and delete their leases", d.config.Name, division)
	}
	existing, err := d.config.leases().Get(ctx, d.config.Name.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		existing = nil
	case err != nil:
		return 0, fmt.Errorf("get the lease %s: %w", d.config.Name, err)
	case existing.Labels[kindLabel] != kindRoot:
		if !d.view.leaderIsGone(existing) {
			return 0, refuse("the lease %s is held by %q, which was elected to do all the work: "+
				"this replica works when that has ended", d.config.Name, ptr.Deref(existing.Spec.HolderIdentity, ""))
		}
	default:
		return 0, soonError{}
	}
	if err := d.makeSlots(ctx, epoch); err != nil {
		return 0, err
	}
	if existing == nil {
		lease := d.config.names().newLease(d.config.Name.Namespace, d.config.Name.Name, kindRoot)
		_, err = d.create(ctx, d.stamp(lease, epoch))
	} else {
		// Its process may still be alive and renew: then this write fails.
		err = d.write(ctx, d.stamp(existing, epoch))
	}
	if err != nil {
		return 0, err
	}
	return 0, soonError{}
}

// makeSlots makes the Leases of the slots of an epoch, which nobody holds, as far as there are none.
func (d *divider) makeSlots(ctx context.Context, epoch int) error {
	var numbers []int
	for number := range d.config.Slots {
		if known, _ := d.view.slot(slotID{epoch, number}); known == nil {
			numbers = append(numbers, number)
		}
	}
	return inParallel(numbers, func(number int) error {
		_, err := d.create(ctx, d.config.slotLease(slotID{epoch, number}))
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
}

// slotLease returns the Lease of a slot, which nobody holds.
func (c *Config) slotLease(id slotID) *coordinationv1.Lease {
	lease := c.names().newLease(c.Name.Namespace, c.names().slot(id.epoch, id.slot), kindSlot)
	lease.Labels[slotLabel] = strconv.Itoa(id.slot)
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, epochAnnotation, strconv.Itoa(id.epoch))
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, divisionAnnotation, c.division())
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, election.EndedAnnotation, "none") // there was no holder
	lease.Spec.HolderIdentity = ptr.To("")
	lease.Spec.LeaseDurationSeconds = ptr.To[int32](1) // zero is not valid
	return lease
}

// retire takes the slots of an epoch away for good, as far as they are free. It returns how many are not.
func (d *divider) retire(ctx context.Context, epoch, slots int) (left int) {
	var open []int
	for number := range slots {
		if lease, absent := d.view.slot(slotID{epoch, number}); lease == nil || absent || holderOf(lease) != retired() {
			open = append(open, number)
		}
	}
	var kept atomic.Int64
	_ = inParallel(open, func(number int) error {
		lease, absent, _ := d.view.free(slotID{epoch, number})
		if lease == nil {
			kept.Add(1)
			return nil
		}
		gone := retired().take(lease, d.config.LeaseDuration)
		write := d.update
		if absent {
			write = d.create
		}
		if _, err := write(ctx, gone); err != nil {
			kept.Add(1)
		}
		return nil
	})
	return int(kept.Load())
}
