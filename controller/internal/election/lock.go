package election

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/resend"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// lock is what one of client-go's electors believes to be the lease. It notes when requests were sent,
// makes a term of the first that makes this process the holder, and ends it at the first answer that
// shows it is not. client-go calls it from one goroutine.
type lock struct {
	candidate *Candidate
	parent    context.Context //ctxvet:ok ctxfield: the terms' contexts descend from it; client-go's lock has no room for it
	elected   chan struct{}   // closed once there is a term
	forbidden chan error
	term      *term.Term // written before elected is closed
	acquired  metav1.Time
	answered  bool // the API server has answered a request

	mu    sync.Mutex
	lease *coordinationv1.Lease // as last read or written; nil before
}

func (l *lock) Identity() string     { return l.candidate.Identity }
func (l *lock) Describe() string     { return l.candidate.Lease.String() }
func (l *lock) RecordEvent(_ string) {}

// Get reads the lease for the elector.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	c := l.candidate
	ctx, cancel := c.attempt(ctx)
	defer cancel()
	lease, err := c.Client.Leases(c.Lease.Namespace).Get(ctx, c.Lease.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		l.answered = true
		l.end(cause.TermDeleted, "")
		return nil, nil, err
	case err != nil:
		return nil, nil, l.failed(ctx, "get", err)
	}
	l.answered = true
	l.keep(lease)
	l.judge(lease)
	c.noteLeader(ctx, lease)
	if err := l.over(); err != nil {
		return nil, nil, err
	}
	record := resourcelock.LeaseSpecToLeaderElectionRecord(&lease.Spec)
	if record.HolderIdentity == c.Identity && !c.ours(lease) {
		// For the elector another's, which it has to let expire.
		record.HolderIdentity = c.whose(lease)
		klog.FromContext(ctx).Error(nil, "Another process holds the lease under this identity: give each its own",
			"lease", c.Lease.String(), "identity", c.Identity)
	}
	// To client-go a lease is alive whose bytes change. Its own bytes have times in whole seconds, so that
	// it takes two renewals in one second for one; the resourceVersion tells them apart.
	return record, []byte(string(lease.UID) + "/" + lease.ResourceVersion), nil
}

// Create makes the lease, held by this process.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	c := l.candidate
	if err := l.hindrance(); err != nil {
		return err
	}
	ctx, cancel := c.attempt(ctx)
	defer cancel()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: c.Lease.Namespace, Name: c.Lease.Name}}
	l.fill(lease, record)
	sent := c.Clock()
	c.trying()
	created, err := c.Client.Leases(c.Lease.Namespace).Create(ctx, lease, metav1.CreateOptions{})
	if err != nil {
		return l.failed(ctx, "create", err)
	}
	return l.succeeded(created, sent)
}

// Update takes or renews the lease.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	c := l.candidate
	if err := l.hindrance(); err != nil {
		return err
	}
	ctx, cancel := c.attempt(ctx)
	defer cancel()
	l.mu.Lock()
	lease := l.lease.DeepCopy()
	l.mu.Unlock()
	l.fill(lease, record)
	sent := c.Clock()
	c.trying()
	updated, err := c.Client.Leases(c.Lease.Namespace).Update(ctx, lease, metav1.UpdateOptions{})
	if err != nil {
		return l.failed(ctx, "update", err)
	}
	return l.succeeded(updated, sent)
}

// hindrance is why nothing may be written: the work is stuck, or the term is over.
func (l *lock) hindrance() error {
	if err := l.candidate.Progress(); err != nil {
		l.end(cause.TermStuck, err.Error())
		return err
	}
	return l.over()
}

// over is why the term is, nil while there is none or it is valid.
func (l *lock) over() error {
	if l.term == nil {
		return nil
	}
	return l.term.Check()
}

// fill writes the record to the lease. A term's number and its beginning stay what they are; a new term
// has a new number, also when this process held the lease before.
func (l *lock) fill(lease *coordinationv1.Lease, record resourcelock.LeaderElectionRecord) {
	if l.term != nil {
		record.LeaderTransitions, record.AcquireTime = l.term.Number, l.acquired
	} else {
		record.AcquireTime = record.RenewTime
		if lease.ResourceVersion != "" {
			record.LeaderTransitions = int(ptr.Deref(lease.Spec.LeaseTransitions, 0)) + 1
		}
		l.acquired = record.AcquireTime
	}
	lease.Spec = resourcelock.LeaderElectionRecordToLeaseSpec(&record)
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, ProcessAnnotation, l.candidate.process)
}

// succeeded begins a term or extends it. An answer that comes after the term's end does not revive it.
func (l *lock) succeeded(lease *coordinationv1.Lease, sent time.Duration) error {
	c := l.candidate
	l.answered = true
	l.keep(lease)
	if l.term != nil {
		l.term.Extend(sent)
		return l.over()
	}
	l.term = term.New(l.parent, term.Config{
		Lease: c.Lease.String(), Holder: c.Identity, Number: int(ptr.Deref(lease.Spec.LeaseTransitions, 0)),
		ResourceVersion: lease.ResourceVersion, Length: c.LeaseDuration - c.Margin, Clock: c.Clock,
	}, sent)
	c.leader = ""
	close(l.elected)
	return nil
}

// failed says what was attempted, and sees to it that the next attempt takes another way where this one
// was not answered.
func (l *lock) failed(ctx context.Context, verb string, err error) error {
	c := l.candidate
	if timedOut(ctx) {
		c.reconnect()
	}
	if l.term == nil && (apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)) {
		// What came first may be our own write, of a try that was replaced while it was on its way.
		c.pokeNow()
	}
	if apierrors.IsConflict(err) {
		return err // client-go asks
	}
	err = fmt.Errorf("%s the lease %s: %w", verb, c.Lease, err)
	if apierrors.IsForbidden(err) && !strings.Contains(err.Error(), resend.Denied) { // which an admission policy says
		err = fmt.Errorf("%w (grant get, create, update, list and watch on it to the user that the controller runs as)", err)
		if !l.answered {
			select {
			case l.forbidden <- err:
			default:
			}
		}
	}
	return err
}

func (l *lock) keep(lease *coordinationv1.Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lease = lease
}

// end ends the term, if there is one.
func (l *lock) end(how cause.TermEnd, detail string) {
	if l.term != nil {
		l.term.End(how, detail)
	}
}

// judge ends the term if the lease, in a state that is not older than the last one known, is not ours
// any more (C13).
func (l *lock) judge(lease *coordinationv1.Lease) {
	c := l.candidate
	switch {
	case holderOf(lease) == "":
		l.end(cause.TermReleased, "")
	case !c.ours(lease):
		l.end(cause.TermTaken, c.whose(lease))
	case time.Duration(ptr.Deref(lease.Spec.LeaseDurationSeconds, 0))*time.Second < c.LeaseDuration:
		l.end(cause.TermEdited, fmt.Sprintf("leaseDurationSeconds is %d", ptr.Deref(lease.Spec.LeaseDurationSeconds, 0)))
	}
}

// release makes the lease nobody's. One second, rather than none, is what client-go writes too.
func release(lease *coordinationv1.Lease) {
	now := metav1.NowMicro()
	lease.Spec.HolderIdentity = ptr.To("")
	lease.Spec.LeaseDurationSeconds = ptr.To[int32](1)
	lease.Spec.AcquireTime, lease.Spec.RenewTime = &now, &now
	delete(lease.Annotations, ProcessAnnotation)
}
