// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

// hands knows which replica works on which object.
type hands struct {
	t    *testing.T
	took time.Duration // a reconcile

	mu     sync.Mutex
	now    map[controller.Request]string
	last   map[controller.Request]string
	counts map[controller.Request]int
	causes []error // of the reconciles that were cancelled
}

func newHands(t *testing.T, took time.Duration) *hands {
	return &hands{t: t, took: took, now: map[controller.Request]string{}, last: map[controller.Request]string{}, counts: map[controller.Request]int{}}
}

// look lets the test look at what is known, until the returned function is called.
func (h *hands) look() (done func()) {
	synctest.Wait()
	h.mu.Lock()
	return h.mu.Unlock
}

// working returns the number of objects that are worked on.
func (h *hands) working() int {
	defer h.look()()
	return len(h.now)
}

// lasts returns which replica has reconciled each object last.
func (h *hands) lasts() map[controller.Request]string {
	defer h.look()()
	return maps.Clone(h.last)
}

// reconcile works on an object for some time, and then writes it.
func (h *hands) reconcile(ctx context.Context, identity string, client kubernetes.Interface, cm *corev1.ConfigMap) error {
	key := controller.Request{Namespace: cm.Namespace, Name: cm.Name}
	h.mu.Lock()
	if other, busy := h.now[key]; busy {
		h.t.Errorf("%s is in two hands: those of %s and %s", key, other, identity)
	}
	h.now[key] = identity
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.now, key)
	}()
	select {
	case <-time.After(h.took):
	case <-ctx.Done():
		h.mu.Lock()
		h.causes = append(h.causes, context.Cause(ctx))
		h.mu.Unlock()
		return ctx.Err()
	}
	if cm.Annotations["by"] != cm.Annotations["for"]+identity {
		metav1.SetMetaDataAnnotation(&cm.ObjectMeta, "by", cm.Annotations["for"]+identity)
		if _, err := client.CoreV1().ConfigMaps(cm.Namespace).Update(ctx, cm, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last[key] = identity
	h.counts[key]++
	return nil
}

// replica starts a replica of a program whose controller is sharded.
func (h *hands) replica(api *virtualtest.API, identity string, change ...func(*controller.ManagerOptions)) *virtualtest.Running {
	change = append([]func(*controller.ManagerOptions){func(o *controller.ManagerOptions) {
		o.Sharding = &controller.Sharding{Namespace: "ns", Name: "shop", Identity: identity}
	}}, change...)
	return virtualtest.Start(h.t, api, func(m *controller.Manager) error {
		client := kubernetes.NewForConfigOrDie(m.Config())
		factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
		controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			return controller.Result{}, h.reconcile(ctx, identity, client, cm)
		}, controller.Options{Sharded: true, Workers: 4})
		return nil
	}, change...)
}

// shared returns who has how many slots, and fails the test unless each is had by one.
func shared(t *testing.T, slots int, replicas ...*virtualtest.Running) (share []int) {
	t.Helper()
	had := map[int]bool{}
	for _, r := range replicas {
		held, err := r.Slots()
		if err != nil {
			t.Errorf("a replica may not work: %v", err)
		}
		for _, slot := range held {
			if had[slot] {
				t.Errorf("slot %d is in two hands", slot)
			}
			had[slot] = true
		}
		share = append(share, len(held))
	}
	if len(had) != slots {
		t.Errorf("%d of %d slots are served", len(had), slots)
	}
	return share
}

func TestC31AllReplicasWorkEachOnItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		const objects = 60
		for i := range objects {
			api.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprintf("team-%02d", i/2), Name: fmt.Sprintf("cm%d", i)}})
		}
		h := newHands(t, 10*time.Millisecond)
		a := h.replica(api, "a")
		time.Sleep(5 * time.Second)
		if share := shared(t, 64, a); share[0] != 64 || len(h.lasts()) != objects {
			t.Errorf("the only replica has %d slots, and %d objects were reconciled", share[0], len(h.lasts()))
		}
		b, c := h.replica(api, "b"), h.replica(api, "c")
		time.Sleep(10 * time.Second)
		for _, share := range shared(t, 64, a, b, c) {
			if share < 12 || share > 32 {
				t.Errorf("a replica has %d of 64 slots", share)
			}
		}
		workers := map[string]int{}
		before := h.lasts()
		for _, identity := range before {
			workers[identity]++
		}
		if len(workers) != 3 {
			t.Errorf("objects were reconciled by %v", workers)
		}
		_ = b.Stop(nil)
		time.Sleep(time.Second) // and not the time of a Lease
		shared(t, 64, a, c)
		after := h.lasts()
		for key, identity := range before {
			if identity != "b" && after[key] != identity {
				t.Errorf("%s was with %s, which stays, and is with %s", key, identity, after[key])
			}
			if after[key] == "b" {
				t.Errorf("nobody took %s over", key)
			}
		}
		leases := 0
		for _, call := range api.Calls() {
			if call.Resource == "leases" && call.Writes() {
				leases++
			}
		}
		t.Logf("%d writes of Leases", leases)
	})
}

func TestC31WhatIsCancelledWhenItsSlotMovesSaysSo(t *testing.T) {
	for name, drain := range map[string]time.Duration{"cancel": 0, "drain": 15 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := virtualtest.NewAPI(t)
				for i := range 4 {
					api.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("n", i), Name: "cm"}})
				}
				h := newHands(t, 5*time.Second)
				drains := func(o *controller.ManagerOptions) { o.DrainTimeout = drain }
				a := h.replica(api, "a", drains)
				time.Sleep(time.Second)
				if n := h.working(); n != 4 {
					t.Fatalf("%d objects are worked on", n)
				}
				h.replica(api, "b", drains)
				time.Sleep(30 * time.Second)
				defer h.look()()
				for _, why := range h.causes {
					if !errors.Is(why, cause.ShardLost) || !errors.Is(why, context.Canceled) || !strings.Contains(why.Error(), "moves to b") {
						t.Errorf("a reconcile was cancelled with %v", why)
					}
				}
				if cancelled := len(h.causes) > 0; cancelled != (drain == 0) {
					t.Errorf("%d reconciles were cancelled, with a drain time of %v", len(h.causes), drain)
				}
				workers := map[string]bool{}
				for _, identity := range h.last {
					workers[identity] = true
				}
				if len(workers) != 2 {
					t.Errorf("the last reconciles were those of %v", h.last)
				}
				judgeReports(t, a, drain > 0)
			})
		})
	}
}

// judgeReports looks at what a replica says of slots that it has given up while reconciles of five seconds ran in them.
func judgeReports(t *testing.T, r *virtualtest.Running, drained bool) {
	t.Helper()
	held, _ := r.Slots()
	inFlight, reports := 0, r.LastSlots()
	for i, report := range reports {
		inFlight += report.InFlight
		if i > 0 && reports[i-1].Slot >= report.Slot || slices.Contains(held, report.Slot) {
			t.Errorf("there are reports of the slots %v, and it has %v", reports, held)
		}
		if !errors.Is(report.Cause, cause.ShardLost) || report.Length < time.Second || report.Length > time.Minute || report.Term.Lease.Namespace != "ns" {
			t.Errorf("the report is %v", report)
		}
		if waited := report.Took > 0; waited != (drained && report.InFlight > 0) {
			t.Errorf("with a drain time (%v), the report is %v", drained, report)
		}
	}
	if len(reports)+len(held) != 64 || inFlight == 0 {
		t.Errorf("%d slots are had, and there are %d reports with %d items in flight", len(held), len(reports), inFlight)
	}
}

// An object that fails, and that another replica has had in between, is a new one for the replica to which it comes back.
func TestC31AnObjectThatComesBackHasNoFailuresYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		for i := range 4 {
			api.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("n", i), Name: "cm"}})
		}
		var mu sync.Mutex
		attempts := map[string][]int{} // of each object with the first replica
		replica := func(identity string) *virtualtest.Running {
			return virtualtest.Start(t, api, func(m *controller.Manager) error {
				factory := controller.AddFactory(m, informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(m.Config()), 0))
				controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
					mu.Lock()
					defer mu.Unlock()
					if identity == "a" {
						attempts[cm.Namespace] = append(attempts[cm.Namespace], controller.Attempt(ctx))
					}
					return controller.Result{}, errors.New("no")
				}, controller.Options{Sharded: true})
				return nil
			}, func(o *controller.ManagerOptions) {
				o.Sharding = &controller.Sharding{Namespace: "ns", Name: "shop", Identity: identity}
			})
		}
		replica("a")
		time.Sleep(10 * time.Second)
		b := replica("b")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		mu.Lock()
		before := map[string]int{}
		for namespace, all := range attempts {
			before[namespace] = len(all)
		}
		mu.Unlock()
		_ = b.Stop(errors.New("a rollout"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		back := 0
		for namespace, all := range attempts {
			anew := slices.Index(all[1:], 1)
			if anew < 0 {
				continue // the first replica has had it all the time
			}
			back++
			if anew+1 != before[namespace] {
				t.Errorf("the attempts for %s were %v, of which %d before it came back", namespace, all, before[namespace])
			}
		}
		if back == 0 || back == len(attempts) {
			t.Errorf("%d of %d objects have come back: %v", back, len(attempts), attempts)
		}
	})
}

func TestC31AReplicaThatDividesTheObjectsInAnotherWayWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		for i := range 20 {
			api.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("n", i), Name: "cm"}})
		}
		h := newHands(t, 10*time.Millisecond)
		a := h.replica(api, "a")
		time.Sleep(5 * time.Second)
		other := h.replica(api, "b", func(o *controller.ManagerOptions) { o.Sharding.Slots = 16 })
		time.Sleep(time.Minute)
		shared(t, 64, a)
		held, err := other.Slots()
		if len(held) > 0 || err == nil || !strings.Contains(err.Error(), "64 slots by namespace") || !strings.Contains(err.Error(), "16 slots by namespace") {
			t.Errorf("the other replica has the slots %v, and says %v", held, err)
		}
		_ = a.Stop(nil)
		time.Sleep(5 * time.Second)
		shared(t, 16, other)
		for key, identity := range h.lasts() {
			if identity != "b" {
				t.Errorf("%s is with %s", key, identity)
			}
		}
	})
}

func TestC31LeaderElectionAndShardsOfOneNameNeverWorkTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		for i := range 20 {
			api.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("n", i), Name: "cm"}})
		}
		elected := func(identity string) func(*controller.ManagerOptions) {
			return func(o *controller.ManagerOptions) {
				o.LeaderElection = &controller.LeaderElection{Namespace: "ns", Name: "shop", Identity: identity}
				o.Sharding = nil
			}
		}
		h := newHands(t, 10*time.Millisecond)
		leader := h.replica(api, "a", elected("a"))
		time.Sleep(5 * time.Second)
		if _, leads := leader.CurrentTerm(); !leads {
			t.Fatal("nobody leads")
		}
		shards := h.replica(api, "b")
		time.Sleep(time.Minute)
		if held, err := shards.Slots(); len(held) > 0 || err == nil || !strings.Contains(err.Error(), `held by "a", which was elected`) {
			t.Errorf("beside a leader a replica has the slots %v, and says %v", held, err)
		}
		_ = leader.Stop(nil)
		time.Sleep(5 * time.Second)
		shared(t, 64, shards)
		back := h.replica(api, "c", elected("c"))
		time.Sleep(time.Minute)
		if _, leads := back.CurrentTerm(); leads {
			t.Error("a leader works beside shards")
		}
		for key, identity := range h.lasts() {
			if identity != "b" {
				t.Errorf("%s is with %s", key, identity)
			}
		}
		_ = shards.Stop(nil)
		api.Delete(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "shop"}})
		time.Sleep(5 * time.Second)
		if _, leads := back.CurrentTerm(); !leads {
			t.Error("nobody leads when the shards have ended and their Lease was deleted")
		}
	})
}

func TestShardingThatIsNotSetUpRightIsRefused(t *testing.T) {
	valid := controller.Sharding{Namespace: "ns", Name: "shop", Identity: "a"}
	with := func(change func(*controller.Sharding)) *controller.Sharding {
		s := valid
		change(&s)
		return &s
	}
	for name, c := range map[string]struct {
		sharding *controller.Sharding
		election *controller.LeaderElection
		options  controller.Options
		says     string
	}{
		"sharding, and nothing said": {&valid, nil, controller.Options{}, "set Options.Sharded, Options.EveryReplica"},
		"one lease":                  {&valid, &controller.LeaderElection{Namespace: "ns", Name: "shop", Identity: "a"}, controller.Options{Sharded: true}, "different names"},
		"both":                       {&valid, nil, controller.Options{Sharded: true, EveryReplica: true}, "choose one"},
		"no name":                    {with(func(s *controller.Sharding) { s.Name = "" }), nil, controller.Options{Sharded: true}, "set ManagerOptions.Sharding.Name"},
		"a long name":                {with(func(s *controller.Sharding) { s.Name = strings.Repeat("a", 64) }), nil, controller.Options{Sharded: true}, "at most 63"},
		"slots":                      {with(func(s *controller.Sharding) { s.Slots = 5000 }), nil, controller.Options{Sharded: true}, "between 1 and 1024"},
		"half a key":                 {with(func(s *controller.Sharding) { s.Key.Name = "x" }), nil, controller.Options{Sharded: true}, "Name and a function Of"},
		"times":                      {with(func(s *controller.Sharding) { s.RenewDeadline = time.Hour }), nil, controller.Options{Sharded: true}, "RenewDeadline"},
	} {
		t.Run(name, func(t *testing.T) {
			m := controller.NewManager(&rest.Config{Host: "http://server.invalid"}, controller.ManagerOptions{
				Sharding: c.sharding, LeaderElection: c.election,
			})
			client := kubernetes.NewForConfigOrDie(m.Config())
			factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
			controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(),
				func(context.Context, *corev1.ConfigMap) (controller.Result, error) { return controller.Result{}, nil }, c.options)
			if err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Run returned %v", err)
			}
		})
	}
}
