// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"fmt"
	"strconv"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// The labels and annotations of the Leases.
const (
	setLabel  = "lanyard-k8s.github.io/sharding"      // the name of all replicas that share the keys
	kindLabel = "lanyard-k8s.github.io/sharding-kind" // root, member or slot
	slotLabel = "lanyard-k8s.github.io/slot"          // the number of a slot

	divisionAnnotation = "lanyard-k8s.github.io/division" // how the keys are divided; of the root and of members
	epochAnnotation    = "lanyard-k8s.github.io/epoch"    // of the root: how often that has changed
	slotsAnnotation    = "lanyard-k8s.github.io/slots"    // of the root: the number of slots
)

const (
	kindRoot   = "root"
	kindMember = "member"
	kindSlot   = "slot"
)

// names is the names of the Leases of a set of replicas.
type names struct{ set string }

func (n names) member(identity string) string { return n.set + "-member-" + identity }

// slot returns the name of the Lease of a slot. Each division of the keys has Leases of its own.
func (n names) slot(epoch, slot int) string { return fmt.Sprintf("%s-slot-%d-%d", n.set, epoch, slot) }

func (n names) labels(kind string) map[string]string {
	return map[string]string{setLabel: n.set, kindLabel: kind}
}

// selector selects all Leases of the set.
func (n names) selector() string { return labels.Set{setLabel: n.set}.String() }

func (n names) newLease(namespace, name, kind string) *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, Labels: n.labels(kind),
	}}
}

// numberIn returns a number in an annotation, or -1.
func numberIn(lease *coordinationv1.Lease, annotation string) int {
	n, err := strconv.Atoi(lease.Annotations[annotation])
	if err != nil {
		return -1
	}
	return n
}
