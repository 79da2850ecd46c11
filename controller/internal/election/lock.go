// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/fence"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// lock is the lease as one of client-go's electors sees it. It begins a term when a write makes
// this candidate the holder, extends it by the moment in which a renewal was sent, and ends it when
// an answer shows that another holds the lease. The elector calls it from one goroutine.
type lock struct {
	config   Config
	owner    owner
	requests requests
	state    *state
	attempt  *attempt
	follower *follower
	// begin makes the term that a request acquired which was sent at that time.
	begin func(acquired cause.Term, sent time.Duration) *term.Term
	// forbidden receives the first error if the API server forbids the first request.
	forbidden chan error

	proved      string      // the process in the lease as last read, if its end is proved
	acquireTime metav1.Time // of the term, or of the write that may begin it
	answered    bool        // the API server has answered a request
}

var _ resourcelock.Interface = (*lock)(nil)

func (l *lock) Identity() string     { return l.config.Identity }
func (l *lock) Describe() string     { return l.config.Lease.String() }
func (l *lock) RecordEvent(_ string) {}

// Get reads the lease.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if err := l.attempt.check(); err != nil {
		return nil, nil, err
	}
	lease, err := l.send(ctx, func(
		ctx context.Context, leases coordinationv1client.LeaseInterface,
	) (*coordinationv1.Lease, error) {
		return leases.Get(ctx, l.config.Lease.Name, metav1.GetOptions{})
	})
	if apierrors.IsNotFound(err) {
		l.answered = true
		l.attempt.end(cause.TermDeleted, "")
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, l.describeError("get", err)
	}
	l.answered = true
	l.attempt.remember(lease)
	l.attempt.endUnlessHeld(lease)
	l.follower.follow(ctx, lease)
	ended := l.follower.prover.ended(lease)
	l.proved = ""
	if ended != "" {
		l.proved = lease.Annotations[ProcessAnnotation]
	}
	l.logLeader(ctx, lease, ended)
	if err := l.attempt.check(); err != nil {
		return nil, nil, err
	}
	// To client-go the holder is alive while these bytes change. Its own have times in whole
	// seconds, so that two renewals in one second look like one. The resourceVersion differs.
	version := []byte(string(lease.UID) + "/" + lease.ResourceVersion)
	return l.recordOf(ctx, lease, ended), version, nil
}

// recordOf returns the lease's record for the elector. Another process that has this candidate's
// identity gets another name there, so that the elector lets its lease expire. A holder that has ended gets
// none, so that the elector takes the lease. ended says how that is known, if it is.
func (l *lock) recordOf(
	ctx context.Context, lease *coordinationv1.Lease, ended string,
) *resourcelock.LeaderElectionRecord {
	record := resourcelock.LeaseSpecToLeaderElectionRecord(&lease.Spec)
	if ended != "" {
		record.HolderIdentity = ""
		return record
	}
	if record.HolderIdentity == l.owner.identity && !l.owner.holds(lease) {
		record.HolderIdentity = l.owner.describeHolder(lease)
		klog.FromContext(ctx).Error(nil,
			"Another process holds the lease under this identity: give each its own",
			"lease", l.config.Lease.String(), "identity", l.config.Identity)
	}
	return record
}

func (l *lock) logLeader(ctx context.Context, lease *coordinationv1.Lease, ended string) {
	if ended != "" {
		l.state.logEnded(ctx, l.config.Lease.String(), holderOf(lease), lease.Annotations[ProcessAnnotation], ended)
		return
	}
	leader := ""
	if holderOf(lease) != "" && !l.owner.holds(lease) {
		leader = l.owner.describeHolder(lease)
	}
	l.state.logLeader(ctx, l.config.Lease.String(), leader)
}

// Create makes the lease, with this candidate as its holder.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Namespace: l.config.Lease.Namespace, Name: l.config.Lease.Name,
	}}
	return l.write(ctx, "create", lease, record, func(
		ctx context.Context, leases coordinationv1client.LeaseInterface,
	) (*coordinationv1.Lease, error) {
		return leases.Create(ctx, lease, metav1.CreateOptions{})
	})
}

// Update acquires or renews the lease.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	lease := l.attempt.lastLease()
	return l.write(ctx, "update", lease, record, func(
		ctx context.Context, leases coordinationv1client.LeaseInterface,
	) (*coordinationv1.Lease, error) {
		return leases.Update(ctx, lease, metav1.UpdateOptions{})
	})
}

// write makes this candidate the holder of the lease and sends it, if it may.
func (l *lock) write(
	ctx context.Context, verb string, lease *coordinationv1.Lease,
	record resourcelock.LeaderElectionRecord, send request,
) error {
	if err := l.canWrite(); err != nil {
		return err
	}
	if l.attempt.currentTerm() == nil {
		l.noteEnd(lease)
	}
	l.owner.claim(lease, l.complete(record, lease))
	for key, value := range l.config.Labels {
		metav1.SetMetaDataLabel(&lease.ObjectMeta, key, value)
	}
	for key, value := range l.config.Annotations {
		metav1.SetMetaDataAnnotation(&lease.ObjectMeta, key, value)
	}
	sent := l.config.Clock()
	l.state.requested.Store(true)
	written, err := l.send(ctx, send)
	if err != nil {
		return l.describeError(verb, err)
	}
	return l.succeeded(written, sent)
}

// noteEnd writes to a lease that is about to be taken whether the end of its last holder is known: that one
// has given it back, which the lease says already, or its end was proved.
func (l *lock) noteEnd(lease *coordinationv1.Lease) {
	switch process := lease.Annotations[ProcessAnnotation]; process {
	case "":
	case l.proved:
		metav1.SetMetaDataAnnotation(&lease.ObjectMeta, EndedAnnotation, process)
	default:
		delete(lease.Annotations, EndedAnnotation)
	}
}

// canWrite returns nil, or why nothing may be written: the process is not healthy, the term is
// over, or the campaign has ended.
func (l *lock) canWrite() error {
	if l.config.Healthy != nil {
		if err := l.config.Healthy(); err != nil {
			l.attempt.end(cause.TermStuck, err.Error())
			return err
		}
	}
	return l.attempt.check()
}

// complete corrects the number of transitions and the time of acquisition in a record of the
// elector. A renewal keeps both. A new term has a new number, even if this candidate held the lease
// before.
func (l *lock) complete(
	record resourcelock.LeaderElectionRecord, lease *coordinationv1.Lease,
) resourcelock.LeaderElectionRecord {
	if t := l.attempt.currentTerm(); t != nil {
		record.LeaderTransitions = t.Number
		record.AcquireTime = l.acquireTime
		return record
	}
	if lease.ResourceVersion != "" {
		record.LeaderTransitions = TransitionsOf(lease) + 1
	}
	record.AcquireTime = record.RenewTime
	l.acquireTime = record.AcquireTime
	return record
}

// succeeded begins the term or extends it. It does not revive a term that ended before the answer.
func (l *lock) succeeded(lease *coordinationv1.Lease, sent time.Duration) error {
	l.answered = true
	l.attempt.remember(lease)
	if l.config.Renewed != nil {
		l.config.Renewed(lease, sent)
	}
	if t := l.attempt.currentTerm(); t != nil {
		t.Extend(sent)
		return t.Check()
	}
	l.state.leader = ""
	l.attempt.begin(l.begin(cause.Term{
		Lease: l.config.Lease, Holder: l.config.Identity, Number: TransitionsOf(lease),
		ResourceVersion: lease.ResourceVersion,
	}, sent))
	return nil
}

func (l *lock) send(ctx context.Context, send request) (*coordinationv1.Lease, error) {
	return l.requests.send(ctx, l.requests.limit(), send)
}

// describeError adds to an error what was attempted. After a conflict it lets the campaign try
// again at once: the write that came first may be this candidate's own, from an attempt that was
// replaced while its request was under way.
func (l *lock) describeError(verb string, err error) error {
	conflict := apierrors.IsConflict(err)
	if l.attempt.currentTerm() == nil && (conflict || apierrors.IsAlreadyExists(err)) {
		l.state.retryNow()
	}
	if conflict {
		return err
	}
	err = fmt.Errorf("%s the lease %s: %w", verb, l.config.Lease, err)
	// An admission policy's refusal is not about permissions.
	if apierrors.IsForbidden(err) && !strings.Contains(err.Error(), fence.Denied) {
		err = fmt.Errorf("%w (grant get, create, update, list and watch on it "+
			"to the user that the controller runs as)", err)
		l.reportForbidden(err)
	}
	return err
}

// reportForbidden ends the campaign with the error, unless the API server has answered before: then
// the permissions may be changing.
func (l *lock) reportForbidden(err error) {
	if l.answered {
		return
	}
	select {
	case l.forbidden <- err:
	default:
	}
}
