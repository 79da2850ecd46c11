// Package election campaigns for a Lease with client-go's elector, and makes terms of what it wins. It
// keeps from client-go how and when to try, and takes over what client-go does too late or without
// looking: until when a renewal holds, when a term is over, and the release.
package election

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// ProcessAnnotation is on the Lease, and names the process that holds it. The holder's identity cannot do
// that: for the fence in the API server it has to be the pod's name, and a pod has had other processes.
const ProcessAnnotation = "lanyard-k8s.github.io/process"

// Config is how a candidate campaigns.
type Config struct {
	Lease    types.NamespacedName
	Identity string

	// As in client-go. LeaseDuration is whole seconds.
	LeaseDuration, RenewDeadline, RetryPeriod time.Duration
	// Margin is how much earlier than others may take the lease a term ends.
	Margin time.Duration

	Client coordinationv1client.LeasesGetter
	Clock  term.Clock
	// Progress says why the lease must not be renewed, nil while work makes progress (C27).
	Progress func() error
	// Reconnect is called when a request for the lease was not answered in time, so that the next one does
	// not go the same way. May be nil.
	Reconnect func()
}

// Candidate is a process that wants to lead.
type Candidate struct {
	Config
	process string
	poke    chan struct{} // holds one element when the lease may be had right now

	// leader is the other process that held the lease when it was last read, "" for none. Only the elector
	// that runs uses it.
	leader string

	mu      sync.Mutex
	current *lock // of the campaign or term under way
	tried   bool  // a request was sent that may have made this process the holder
}

// New makes a candidate, which does nothing yet.
func New(config Config) *Candidate {
	return &Candidate{Config: config, process: string(uuid.NewUUID()), poke: make(chan struct{}, 1)}
}

// ErrPoked ends a try because the next one may do better.
var ErrPoked = errors.New("the lease may be free: trying again at once")

// Elect campaigns until this process leads, and returns its term; renewals go on in the background until
// the term ends, also beyond the end of ctx, so that the lease is held while work drains. The term's
// contexts descend from ctx. It returns the cause when ctx ends first, and an error when the API server
// forbids it to try.
func (c *Candidate) Elect(ctx context.Context) (*Tenure, error) {
	for {
		tenure, err := c.try(ctx)
		if tenure != nil || err != nil && !errors.Is(err, ErrPoked) {
			return tenure, err
		}
	}
}

// try runs one of client-go's electors. They cannot be told to try now, so they are replaced instead; what
// a new one does not know is since when the record is as it is, and so it is replaced only when nobody
// holds the lease.
func (c *Candidate) try(ctx context.Context) (*Tenure, error) {
	l := &lock{candidate: c, parent: ctx, elected: make(chan struct{}), forbidden: make(chan error, 1)}
	c.mu.Lock()
	c.current = l
	c.mu.Unlock()
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: l, Name: c.Lease.String(),
		LeaseDuration: c.LeaseDuration, RenewDeadline: c.RenewDeadline, RetryPeriod: c.RetryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {}, // the lock knows before
			OnStoppedLeading: func() {},
		},
		ReleaseOnCancel: false, // C15
	})
	if err != nil {
		return nil, fmt.Errorf("campaign for the lease %s: %w", c.Lease, err)
	}
	select {
	case <-c.poke: // the first attempt is made at once anyway
	default:
	}
	run, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	t := &Tenure{candidate: c, lock: l, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		elector.Run(withQuietRaces(run))
		if l.term != nil {
			// It ended for another reason, or client-go has given up renewing.
			l.term.End(cause.TermExpired, fmt.Sprintf("no renewal succeeded for %v", c.RenewDeadline))
		}
	}()

	select {
	case <-l.elected:
	case <-c.poke:
		err = ErrPoked
	case err = <-l.forbidden:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	select {
	case <-l.elected:
		t.Term = l.term
		context.AfterFunc(t.Term.Lost(), func() { stop(context.Cause(t.Term.Lost())) })
		return t, nil
	default:
	}
	stop(err)
	<-t.done
	return nil, err // had it been elected in this moment, its term is over, and the next try will know the lease
}

// Tenure is a term that is being renewed.
type Tenure struct {
	Term      *term.Term
	candidate *Candidate
	lock      *lock
	stop      context.CancelCauseFunc
	done      chan struct{}
}

// Resign ends the term and its renewals, and releases the lease (see [Candidate.Release]). Nothing that
// needs the term may be running any more.
func (t *Tenure) Resign(ctx context.Context) error {
	t.Abandon()
	return t.candidate.Release(ctx)
}

// Abandon ends the term and its renewals without a release: others have to wait until the lease expires,
// because something of the term may still be running.
func (t *Tenure) Abandon() {
	t.Term.End(cause.TermResigned, "")
	t.stop(context.Cause(t.Term.Lost()))
	<-t.done
}

// releaseConflicts bounds how often a release is begun anew because the lease has changed since it was read. A
// renewal that was cut short may be applied in between, which is one such change.
const releaseConflicts = 3

// releaseTries is how many attempts the time of a release is for, where none is answered.
const releaseTries = 3

// Release empties the lease if the record just read names this process, and with that record's
// resourceVersion, so that it cannot be another's (C15). It is called last, and does nothing where this
// process has never tried to hold the lease. Where the API server does not answer it tries again, from the
// read on and over another connection, until ctx ends.
func (c *Candidate) Release(ctx context.Context) error {
	c.mu.Lock()
	tried := c.tried
	c.mu.Unlock()
	if !tried {
		return nil
	}
	limit := c.RenewDeadline / 2
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/releaseTries)
	}
	for conflicts := 0; ; {
		unanswered, err := c.releaseOnce(ctx, limit)
		switch {
		case err == nil:
			return nil
		case apierrors.IsConflict(err) && conflicts < releaseConflicts:
			conflicts++
		case unanswered && ctx.Err() == nil:
			c.reconnect()
		default:
			return fmt.Errorf("release the lease %s: %w (it expires in %v)", c.Lease, err, c.LeaseDuration)
		}
	}
}

func (c *Candidate) reconnect() {
	if c.Reconnect != nil {
		c.Reconnect()
	}
}

// releaseOnce reads the lease and empties it, within a limit. Where that was too short it was not answered.
func (c *Candidate) releaseOnce(ctx context.Context, limit time.Duration) (unanswered bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, cause.CallTimeout)
	defer cancel()
	lease, err := c.Client.Leases(c.Lease.Namespace).Get(ctx, c.Lease.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return timedOut(ctx), err
	}
	if !c.ours(lease) {
		return false, nil
	}
	release(lease)
	_, err = c.Client.Leases(c.Lease.Namespace).Update(ctx, lease, metav1.UpdateOptions{})
	if err == nil {
		klog.FromContext(ctx).Info("Lease released", "lease", c.Lease.String())
	}
	return timedOut(ctx), err
}

// attempt limits one request for the lease. Several have to fit before the renew deadline.
func (c *Candidate) attempt(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.RenewDeadline/2, cause.CallTimeout)
}

// timedOut tells whether an attempt, whose context this is, has used up its limit.
func timedOut(attempt context.Context) bool {
	return errors.Is(context.Cause(attempt), cause.CallTimeout)
}

// noteLeader logs which other process holds the lease, once for each that does.
func (c *Candidate) noteLeader(ctx context.Context, lease *coordinationv1.Lease) {
	leader := ""
	if holderOf(lease) != "" && !c.ours(lease) {
		leader = c.whose(lease)
	}
	if leader != "" && leader != c.leader {
		klog.FromContext(ctx).Info("Another process leads", "lease", c.Lease.String(), "holder", leader)
	}
	c.leader = leader
}

// ours tells whether this process holds the lease.
func (c *Candidate) ours(lease *coordinationv1.Lease) bool {
	return holderOf(lease) == c.Identity && lease.Annotations[ProcessAnnotation] == c.process
}

// whose describes who holds a lease that is not ours.
func (c *Candidate) whose(lease *coordinationv1.Lease) string {
	holder := holderOf(lease)
	if holder == c.Identity {
		return fmt.Sprintf("%s (another process of that identity: %q)", holder, lease.Annotations[ProcessAnnotation])
	}
	return holder
}

func holderOf(lease *coordinationv1.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}
