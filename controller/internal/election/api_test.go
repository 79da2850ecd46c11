// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

var leases = schema.GroupResource{Group: coordinationv1.GroupName, Resource: "leases"}

// store is the API server's side of one lease: each request is applied in one instant.
type store struct {
	mu      sync.Mutex
	version int
	uids    int
	lease   *coordinationv1.Lease // nil when there is none
	log     []watch.Event
	grown   chan struct{} // closed when the log grows
	// applied sees each change in the instant in which it is made, and who made it: -1 for a
	// person.
	applied func(by int, before, after *coordinationv1.Lease)
}

func newStore() *store { return &store{version: 100, grown: make(chan struct{})} }

func (s *store) change(
	by int,
	kind watch.EventType,
	next *coordinationv1.Lease,
) *coordinationv1.Lease {
	before := s.lease
	s.version++
	next.ResourceVersion = strconv.Itoa(s.version)
	s.lease = next
	if kind == watch.Deleted {
		s.lease = nil
	}
	s.log = append(s.log, watch.Event{Type: kind, Object: next})
	close(s.grown)
	s.grown = make(chan struct{})
	if s.applied != nil {
		s.applied(by, before, s.lease)
	}
	return next.DeepCopy()
}

func (s *store) create(by int, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease != nil {
		return nil, apierrors.NewAlreadyExists(leases, lease.Name)
	}
	s.uids++
	next := lease.DeepCopy()
	next.UID = types.UID(fmt.Sprintf("uid-%d", s.uids))
	return s.change(by, watch.Added, next), nil
}

func (s *store) update(by int, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.lease == nil:
		return nil, apierrors.NewNotFound(leases, lease.Name)
	case lease.UID != "" && lease.UID != s.lease.UID,
		lease.ResourceVersion != "" && lease.ResourceVersion != s.lease.ResourceVersion:
		return nil, apierrors.NewConflict(
			leases,
			lease.Name,
			errors.New("the object has been modified"),
		)
	}
	next := lease.DeepCopy()
	next.UID = s.lease.UID
	return s.change(by, watch.Modified, next), nil
}

func (s *store) get() (*coordinationv1.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return nil, apierrors.NewNotFound(leases, "lease")
	}
	return s.lease.DeepCopy(), nil
}

// edit is what a person with kubectl does.
func (s *store) edit(f func(*coordinationv1.Lease)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil {
		return
	}
	next := s.lease.DeepCopy()
	f(next)
	s.change(-1, watch.Modified, next)
}

func (s *store) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease != nil {
		s.change(-1, watch.Deleted, s.lease.DeepCopy())
	}
}

// since is what the log has after a version, and what is closed when there is more.
func (s *store) since(version int) ([]watch.Event, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := len(s.log)
	for from > 0 && versionOf(s.log[from-1].Object.(*coordinationv1.Lease)) > version {
		from--
	}
	return slices.Clone(s.log[from:]), s.grown
}

func versionOf(lease *coordinationv1.Lease) int {
	version, _ := strconv.Atoi(lease.ResourceVersion)
	return version
}

// fate is what becomes of one request.
type fate struct {
	before, after time.Duration // until it is applied, and from then until it is answered
	lost          bool          // before it is applied
	unanswered    bool          // after that
	hangs         bool          // what is lost or unanswered is an error only when the client gives up
}

// network is a process's way to the API server. What it carries is not ordered.
type network struct {
	coordinationv1client.LeaseInterface // nil: what is not below is not used
	*store
	process *process
	// told sees each state of the lease that reaches the process: by a watch, or by an answer.
	told func(lease *coordinationv1.Lease, byWatch bool)

	mu       sync.Mutex
	rand     *rand.Rand
	faulty   bool
	scale    time.Duration // of delays
	cutNext  time.Duration // nothing gets through for so long after the next request
	cutUntil time.Time
	read     string // the resourceVersion of the last lease that was read
}

var errBroken = errors.New("connection reset by peer")

func (n *network) Leases(string) coordinationv1client.LeaseInterface { return n }

func (n *network) setFaulty(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faulty = on
}

func (n *network) cut(length time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cutNext = length
}

func (n *network) draw() fate {
	n.mu.Lock()
	defer n.mu.Unlock()
	quick := func() time.Duration { return time.Duration(n.rand.IntN(5000)+200) * time.Microsecond }
	slow := func() time.Duration { return time.Duration(n.rand.Int64N(int64(n.scale))) }
	f := fate{before: quick(), after: quick()}
	switch {
	case !n.faulty:
		return f
	case time.Now().Before(n.cutUntil):
		return fate{lost: true, hangs: true}
	case n.cutNext > 0: // this one gets through, late, and then nothing does
		f.after = slow()
		n.cutUntil, n.cutNext = time.Now().Add(f.after+n.cutNext), 0
		return f
	}
	f.hangs = n.rand.IntN(2) == 0
	switch n.rand.IntN(12) {
	case 0, 1:
		f.before = slow()
	case 2, 3:
		f.after = slow()
	case 4:
		f.lost = true
	case 5:
		f.unanswered = true
	case 6:
		f.before, f.after, f.unanswered = slow(), slow(), true
	}
	return f
}

type answer struct {
	lease *coordinationv1.Lease
	err   error
}

// carry takes a request to the server and back. The server does not know that a client has given
// up, and a process that is stopped neither sends nor hears anything.
func (n *network) carry(
	ctx context.Context,
	apply func() (*coordinationv1.Lease, error),
) (*coordinationv1.Lease, error) {
	n.process.awake()
	if n.process.isDead() {
		return nil, errBroken
	}
	f := n.draw()
	answers := make(chan answer, 1)
	go func() {
		time.Sleep(f.before)
		var a answer
		if f.lost {
			a.err = errBroken
		} else {
			a.lease, a.err = apply()
			time.Sleep(f.after)
		}
		if f.lost || f.unanswered {
			if a = (answer{err: errBroken}); f.hangs {
				time.Sleep(5 * n.scale)
			}
		}
		answers <- a
	}()
	select {
	case a := <-answers:
		n.process.awake()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if n.process.isDead() {
			return nil, errBroken
		}
		if a.err == nil && n.told != nil {
			n.told(a.lease, false)
		}
		return a.lease, a.err
	case <-ctx.Done():
		n.process.awake()
		return nil, ctx.Err()
	}
}

func (n *network) Get(
	ctx context.Context,
	_ string,
	_ metav1.GetOptions,
) (*coordinationv1.Lease, error) {
	lease, err := n.carry(ctx, n.get)
	if err == nil {
		n.mu.Lock()
		n.read = lease.ResourceVersion
		n.mu.Unlock()
	}
	return lease, err
}

func (n *network) lastRead() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.read
}

func (n *network) Create(
	ctx context.Context,
	lease *coordinationv1.Lease,
	_ metav1.CreateOptions,
) (*coordinationv1.Lease, error) {
	lease = lease.DeepCopy()
	return n.carry(
		ctx,
		func() (*coordinationv1.Lease, error) { return n.create(n.process.number, lease) },
	)
}

func (n *network) Update(
	ctx context.Context,
	lease *coordinationv1.Lease,
	_ metav1.UpdateOptions,
) (*coordinationv1.Lease, error) {
	lease = lease.DeepCopy()
	if holderOf(lease) == "" {
		n.process.releasing(lease, n.lastRead())
	}
	return n.carry(
		ctx,
		func() (*coordinationv1.Lease, error) { return n.update(n.process.number, lease) },
	)
}

func (n *network) List(
	ctx context.Context,
	_ metav1.ListOptions,
) (*coordinationv1.LeaseList, error) {
	list := &coordinationv1.LeaseList{}
	_, err := n.carry(ctx, func() (*coordinationv1.Lease, error) {
		n.store.mu.Lock()
		defer n.store.mu.Unlock()
		list.ResourceVersion = strconv.Itoa(n.version)
		if n.lease != nil {
			list.Items = append(list.Items, *n.lease.DeepCopy())
		}
		return &coordinationv1.Lease{}, nil
	})
	return list, err
}

// Watch delivers in order, each event late by as much as chance has it, and is cut now and then.
func (n *network) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	n.process.awake()
	if n.process.isDead() {
		return nil, errBroken
	}
	time.Sleep(n.draw().before)
	version, _ := strconv.Atoi(options.ResourceVersion)
	var pending []watch.Event
	if options.SendInitialEvents != nil && *options.SendInitialEvents {
		n.store.mu.Lock()
		version = n.version
		if n.lease != nil {
			pending = append(pending, watch.Event{Type: watch.Added, Object: n.lease.DeepCopy()})
		}
		n.store.mu.Unlock()
		pending = append(
			pending,
			watch.Event{
				Type: watch.Bookmark,
				Object: &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
					ResourceVersion: strconv.Itoa(
						version,
					), Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"},
				}},
			},
		)
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &stream{events: make(chan watch.Event), cancel: cancel}
	go n.stream(ctx, w, version, pending)
	return w, nil
}

type stream struct {
	events chan watch.Event
	cancel context.CancelFunc
}

func (w *stream) Stop()                          { w.cancel() }
func (w *stream) ResultChan() <-chan watch.Event { return w.events }

func (n *network) stream(ctx context.Context, w *stream, version int, pending []watch.Event) {
	defer w.cancel()
	defer close(w.events)
	initial := len(pending) > 0
	var shown *coordinationv1.Lease
	for {
		for _, event := range pending {
			f := n.draw()
			if f.lost || f.unanswered || !pause(ctx, f.before) {
				return
			}
			n.process.awake()
			if n.process.isDead() {
				return
			}
			lease := event.Object.(*coordinationv1.Lease).DeepCopy()
			version = versionOf(lease)
			select {
			case w.events <- watch.Event{Type: event.Type, Object: lease}:
				switch {
				case event.Type == watch.Bookmark && shown != nil:
					n.tell(shown)
				case event.Type == watch.Bookmark, event.Type == watch.Deleted:
				case initial: // client-go uses it when it has the bookmark
					shown = lease
				default:
					n.tell(lease)
				}
			case <-ctx.Done():
				return
			}
		}
		initial = false
		var grown <-chan struct{}
		if pending, grown = n.since(version); len(pending) == 0 {
			select {
			case <-grown:
			case <-ctx.Done():
				return
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (n *network) tell(lease *coordinationv1.Lease) {
	if n.told != nil {
		n.told(lease, true)
	}
}
