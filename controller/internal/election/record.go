// SPDX-License-Identifier: Apache-2.0

package election

import (
	"encoding/json"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/ptr"
)

// owner is what a Lease says of the candidate that holds it.
type owner struct {
	identity string
	process  string // the value of ProcessAnnotation
	home     *Home  // where it runs; nil: not known
}

// holds reports whether the lease says that o holds it.
func (o owner) holds(lease *coordinationv1.Lease) bool {
	return holderOf(lease) == o.identity && lease.Annotations[ProcessAnnotation] == o.process
}

// describeHolder describes the holder of a lease that o does not hold.
func (o owner) describeHolder(lease *coordinationv1.Lease) string {
	holder := holderOf(lease)
	if holder != o.identity {
		return holder
	}
	process := lease.Annotations[ProcessAnnotation]
	return fmt.Sprintf("%s (another process of that identity: %q)", holder, process)
}

// claim writes the record to the lease, with o as its holder.
func (o owner) claim(lease *coordinationv1.Lease, record resourcelock.LeaderElectionRecord) {
	lease.Spec = resourcelock.LeaderElectionRecordToLeaseSpec(&record)
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, ProcessAnnotation, o.process)
	o.settle(lease)
}

// habitation is what HolderAnnotation says.
type habitation struct {
	Identity string `json:"identity"`
	Process  string `json:"process"`
	Home
}

// settle writes to the lease, which o holds, where o runs.
func (o owner) settle(lease *coordinationv1.Lease) {
	delete(lease.Annotations, HolderAnnotation)
	if o.home == nil {
		return
	}
	text, err := json.Marshal(habitation{Identity: o.identity, Process: o.process, Home: *o.home})
	if err == nil { // always: it is made of texts
		metav1.SetMetaDataAnnotation(&lease.ObjectMeta, HolderAnnotation, string(text))
	}
}

// holderOf returns the identity of the lease's holder, "" if nobody holds it.
func holderOf(lease *coordinationv1.Lease) string {
	return ptr.Deref(lease.Spec.HolderIdentity, "")
}

// DurationOf returns the time for which the lease promises that no other process takes it.
func DurationOf(lease *coordinationv1.Lease) time.Duration {
	return time.Duration(ptr.Deref(lease.Spec.LeaseDurationSeconds, 0)) * time.Second
}

// TransitionsOf returns how often the lease has changed hands.
func TransitionsOf(lease *coordinationv1.Lease) int {
	return int(ptr.Deref(lease.Spec.LeaseTransitions, 0))
}

// Vacate makes nobody the holder of the lease, which then says whose end that is. Its duration becomes one
// second, as when client-go releases a lease: zero is not valid.
func Vacate(lease *coordinationv1.Lease) {
	now := metav1.NowMicro()
	lease.Spec.HolderIdentity = ptr.To("")
	lease.Spec.LeaseDurationSeconds = ptr.To[int32](1)
	lease.Spec.AcquireTime = &now
	lease.Spec.RenewTime = &now
	delete(lease.Annotations, HolderAnnotation)
	if process := lease.Annotations[ProcessAnnotation]; process != "" {
		metav1.SetMetaDataAnnotation(&lease.ObjectMeta, EndedAnnotation, process)
		delete(lease.Annotations, ProcessAnnotation)
	}
}
