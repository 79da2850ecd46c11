// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

var resource = schema.GroupResource{Group: coordinationv1.GroupName, Resource: "leases"}

// server is the API server's side of all Leases: each request is applied in one instant.
type server struct {
	mu      sync.Mutex
	version int
	leases  map[string]*coordinationv1.Lease
	log     []watch.Event
	times   []time.Time   // of the events in log
	grown   chan struct{} // is closed when the log grows
	writes  int
}

func newServer() *server {
	return &server{version: 100, leases: map[string]*coordinationv1.Lease{}, grown: make(chan struct{})}
}

// change applies a change. s.mu must be held.
func (s *server) change(kind watch.EventType, lease *coordinationv1.Lease) *coordinationv1.Lease {
	s.version++
	next := lease.DeepCopy()
	next.ResourceVersion = strconv.Itoa(s.version)
	if kind == watch.Deleted {
		delete(s.leases, next.Name)
	} else {
		s.leases[next.Name] = next
	}
	s.log = append(s.log, watch.Event{Type: kind, Object: next})
	s.times = append(s.times, time.Now())
	close(s.grown)
	s.grown = make(chan struct{})
	s.writes++
	return next.DeepCopy()
}

func (s *server) create(lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases[lease.Name] != nil {
		return nil, apierrors.NewAlreadyExists(resource, lease.Name)
	}
	next := lease.DeepCopy()
	next.UID = types.UID(fmt.Sprintf("uid-%d", s.version))
	return s.change(watch.Added, next), nil
}

func (s *server) update(lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.leases[lease.Name]
	switch {
	case known == nil:
		return nil, apierrors.NewNotFound(resource, lease.Name)
	case lease.UID != known.UID || lease.ResourceVersion != known.ResourceVersion:
		return nil, apierrors.NewConflict(resource, lease.Name, errors.New("it has been modified"))
	}
	return s.change(watch.Modified, lease), nil
}

func (s *server) remove(name string, like *metav1.Preconditions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.leases[name]
	switch {
	case known == nil:
		return apierrors.NewNotFound(resource, name)
	case like != nil && (*like.UID != known.UID || *like.ResourceVersion != known.ResourceVersion):
		return apierrors.NewConflict(resource, name, errors.New("it has been modified"))
	}
	s.change(watch.Deleted, known)
	return nil
}

// edit is what a person with kubectl does.
func (s *server) edit(name string, f func(*coordinationv1.Lease)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.leases[name]; known != nil {
		next := known.DeepCopy()
		f(next)
		s.change(watch.Modified, next)
	}
}

// names returns the names of all Leases of a kind, in order.
func (s *server) names(kind string) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.leases)) {
		if s.leases[name].Labels[kindLabel] == kind {
			all = append(all, name)
		}
	}
	return all
}

func (s *server) get(name string) (*coordinationv1.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.leases[name]; known != nil {
		return known.DeepCopy(), nil
	}
	return nil, apierrors.NewNotFound(resource, name)
}

func (s *server) list(selector labels.Selector) *coordinationv1.LeaseList {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := &coordinationv1.LeaseList{ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(s.version)}}
	for _, name := range slices.Sorted(maps.Keys(s.leases)) {
		if lease := s.leases[name]; selector.Matches(labels.Set(lease.Labels)) {
			list.Items = append(list.Items, *lease.DeepCopy())
		}
	}
	return list
}

// network is between a replica and the server.
type network struct {
	server *server
	delay  func() time.Duration // of each way of a request

	mu   sync.Mutex
	lag  func() time.Duration // of the watch
	down chan struct{}        // is closed when it is up again; nil while it is up
	lost func() bool          // whether an answer is lost; nil: none is
}

// cut cuts the network, or joins it.
func (n *network) cut(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down != nil {
		close(n.down)
		n.down = nil
	}
	if down {
		n.down = make(chan struct{})
	}
}

func (n *network) loses() bool {
	n.mu.Lock()
	lost := n.lost
	n.mu.Unlock()
	return lost != nil && lost()
}

func (n *network) lags() time.Duration {
	n.mu.Lock()
	lag := n.lag
	n.mu.Unlock()
	return lag()
}

func (n *network) pass(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		n.mu.Lock()
		down := n.down
		n.mu.Unlock()
		if down == nil {
			return ctx.Err()
		}
		select {
		case <-down:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// send sends a request, which is applied in the middle.
func send[T any](ctx context.Context, n *network, apply func() (T, error)) (answer T, err error) {
	if err := n.pass(ctx, n.delay()); err != nil {
		return answer, err
	}
	answer, err = apply()
	if n.loses() {
		<-ctx.Done()
	}
	if gone := n.pass(ctx, n.delay()); gone != nil {
		var none T
		return none, gone
	}
	return answer, err
}

// Leases implements coordinationv1client.LeasesGetter.
func (n *network) Leases(string) coordinationv1client.LeaseInterface { return leases{network: n} }

type leases struct {
	coordinationv1client.LeaseInterface
	network *network
}

func (l leases) Get(ctx context.Context, name string, _ metav1.GetOptions) (*coordinationv1.Lease, error) {
	return send(ctx, l.network, func() (*coordinationv1.Lease, error) { return l.network.server.get(name) })
}

func (l leases) Create(ctx context.Context, lease *coordinationv1.Lease, _ metav1.CreateOptions) (*coordinationv1.Lease, error) {
	return send(ctx, l.network, func() (*coordinationv1.Lease, error) { return l.network.server.create(lease) })
}

func (l leases) Update(ctx context.Context, lease *coordinationv1.Lease, _ metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	return send(ctx, l.network, func() (*coordinationv1.Lease, error) { return l.network.server.update(lease) })
}

func (l leases) Delete(ctx context.Context, name string, options metav1.DeleteOptions) error {
	_, err := send(ctx, l.network, func() (struct{}, error) {
		return struct{}{}, l.network.server.remove(name, options.Preconditions)
	})
	return err
}

func (l leases) List(ctx context.Context, options metav1.ListOptions) (*coordinationv1.LeaseList, error) {
	selector, err := labels.Parse(options.LabelSelector)
	if err != nil {
		return nil, err
	}
	return send(ctx, l.network, func() (*coordinationv1.LeaseList, error) { return l.network.server.list(selector), nil })
}

// Watch tells of each change, after the lag of the network.
func (l leases) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	if options.SendInitialEvents != nil {
		return nil, apierrors.NewInvalid(schema.GroupKind{}, "", nil) // it is a server without watch lists
	}
	selector, err := labels.Parse(options.LabelSelector)
	if err != nil {
		return nil, err
	}
	from, err := strconv.Atoi(options.ResourceVersion)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	events := make(chan watch.Event)
	watcher := watch.NewProxyWatcher(events)
	go l.feed(ctx, watcher, events, selector, from)
	return watcher, nil
}

func (l leases) feed(ctx context.Context, w *watch.ProxyWatcher, events chan<- watch.Event, selector labels.Selector, from int) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, w.Stop)
	defer stop()
	defer close(events)
	for at := from - 100; ; {
		l.network.server.mu.Lock()
		log, times, grown := l.network.server.log, l.network.server.times, l.network.server.grown
		l.network.server.mu.Unlock()
		for ; at < len(log); at++ {
			lease, _ := log[at].Object.(*coordinationv1.Lease)
			if !selector.Matches(labels.Set(lease.Labels)) {
				continue
			}
			select {
			case <-w.StopChan():
				return
			default:
			}
			if l.network.pass(ctx, time.Until(times[at].Add(l.network.lags()))) != nil {
				return
			}
			select {
			case events <- watch.Event{Type: log[at].Type, Object: lease.DeepCopy()}:
			case <-w.StopChan():
				return
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-grown:
		case <-w.StopChan():
			return
		case <-ctx.Done():
			return
		}
	}
}
