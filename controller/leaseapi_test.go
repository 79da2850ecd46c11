// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// leaseAPI is the API server's side of one Lease, which answers at once. What a network does to
// requests is tested in the package of the election.
type leaseAPI struct {
	coordinationv1client.LeaseInterface // nil: what is not below is not used

	mu       sync.Mutex
	version  int
	lease    *coordinationv1.Lease
	watchers map[*watch.RaceFreeFakeWatcher]bool
	down     bool // requests hang until their contexts end
	renewals int
	released time.Time
}

func (a *leaseAPI) Leases(string) coordinationv1client.LeaseInterface { return a }

func (a *leaseAPI) store(kind watch.EventType, lease *coordinationv1.Lease) *coordinationv1.Lease {
	a.version++
	next := lease.DeepCopy()
	next.ResourceVersion, next.UID = strconv.Itoa(a.version+1000), "uid"
	if a.lease = next; kind == watch.Deleted {
		a.lease = nil
	}
	if ptr.Deref(next.Spec.HolderIdentity, "") == "" {
		a.released = time.Now()
	}
	for w := range a.watchers {
		w.Action(kind, next.DeepCopy())
	}
	return next.DeepCopy()
}

func (a *leaseAPI) reach(ctx context.Context) error {
	a.mu.Lock()
	down := a.down
	a.mu.Unlock()
	if down {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (a *leaseAPI) setDown(down bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down = down
}

func (a *leaseAPI) Get(ctx context.Context, name string, _ metav1.GetOptions) (*coordinationv1.Lease, error) {
	if err := a.reach(ctx); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lease == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "leases"}, name)
	}
	return a.lease.DeepCopy(), nil
}

func (a *leaseAPI) Create(ctx context.Context, lease *coordinationv1.Lease, _ metav1.CreateOptions) (*coordinationv1.Lease, error) {
	if err := a.reach(ctx); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lease != nil {
		return nil, apierrors.NewAlreadyExists(schema.GroupResource{Resource: "leases"}, lease.Name)
	}
	return a.store(watch.Added, lease), nil
}

func (a *leaseAPI) Update(ctx context.Context, lease *coordinationv1.Lease, _ metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	if err := a.reach(ctx); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lease == nil || a.lease.ResourceVersion != lease.ResourceVersion {
		return nil, apierrors.NewConflict(schema.GroupResource{Resource: "leases"}, lease.Name, errors.New("it has been modified"))
	}
	a.renewals++
	return a.store(watch.Modified, lease), nil
}

func (a *leaseAPI) List(context.Context, metav1.ListOptions) (*coordinationv1.LeaseList, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := &coordinationv1.LeaseList{ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(a.version + 1000)}}
	if a.lease != nil {
		list.Items = append(list.Items, *a.lease.DeepCopy())
	}
	return list, nil
}

func (a *leaseAPI) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	if options.SendInitialEvents != nil {
		return nil, errors.New("this server streams no lists")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := watch.NewRaceFreeFake()
	if a.watchers == nil {
		a.watchers = map[*watch.RaceFreeFakeWatcher]bool{}
	}
	a.watchers[w] = true
	context.AfterFunc(ctx, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.watchers, w)
	})
	return w, nil
}

// unwatched takes away all watches, so that only answers tell.
func (a *leaseAPI) unwatched() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watchers = nil
}

// edit is what a person does to the lease.
func (a *leaseAPI) edit(f func(*coordinationv1.LeaseSpec)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := a.lease.DeepCopy()
	f(&next.Spec)
	a.store(watch.Modified, next)
}

func (a *leaseAPI) remove() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.store(watch.Deleted, a.lease)
}

func (a *leaseAPI) renewed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.renewals
}

// holder is who has the lease, and when it was last given up.
func (a *leaseAPI) holder() (who string, released time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lease == nil {
		return "", a.released
	}
	return ptr.Deref(a.lease.Spec.HolderIdentity, ""), a.released
}

// clock is virtual time, and may be made to jump as CLOCK_BOOTTIME does when a machine was
// suspended.
type clock struct {
	mu     sync.Mutex
	start  time.Time
	jumped time.Duration
}

func (c *clock) now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.start) + c.jumped
}

func (c *clock) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jumped += d
}

// elect are the options of a replica.
func elect(api *leaseAPI, identity string) *controller.LeaderElection {
	o, _ := electAt(api, identity)
	return o
}

func electAt(api *leaseAPI, identity string) (*controller.LeaderElection, *clock) {
	c := &clock{start: time.Now()}
	o := &controller.LeaderElection{Namespace: "default", Name: "lease", Identity: identity}
	inTest(o, api, c.now)
	return o, c
}

func wantEnd(t *testing.T, err error, how cause.TermEnd) {
	t.Helper()
	var ended *cause.TermEnded
	if !errors.Is(err, cause.LeadershipLost) || !errors.Is(err, context.Canceled) || !errors.As(err, &ended) {
		t.Fatalf("it ended with %v", err)
	}
	if ended.How != how || ended.Holder != "a" || ended.Lease.String() != "default/lease" || ended.At.IsZero() {
		t.Errorf("the term ended %q, want %q: %+v", ended.How, how, ended)
	}
}
