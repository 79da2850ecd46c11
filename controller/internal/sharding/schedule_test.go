// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// One schedule again: go test -run Schedules -seed 4711.
var seed = flag.Int64("seed", -1, "run only the random schedule of this number")

const (
	slots    = 16
	duration = 3 * time.Second
	// bound is the time after which all slots are served again when the faults are over: a membership
	// expires, another is won, and the slots move.
	bound = 4 * duration
)

// replica is one replica of a schedule. After a crash, the next process in its place is another.
type replica struct {
	keeper  *Keeper
	network *network
	end     context.CancelFunc // the process ends in order
	kill    func()             // the process is gone
	dead    atomic.Bool
	done    chan struct{}
	err     error // of Run, once done is closed
}

// schedule is replicas that share slots on one server.
type schedule struct {
	t      *testing.T
	ctx    context.Context
	rand   *rand.Rand
	server *server
	began  time.Time

	mu       sync.Mutex
	replicas []*replica
	story    []string
	moves    int
	faults   []string
	holders  [slots]*replica
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	s := &schedule{t: t, rand: rand.New(rand.NewPCG(seed, 1)), server: newServer(), began: time.Now()}
	s.ctx = klog.NewContext(t.Context(), logr.Discard())
	return s
}

func (s *schedule) tell(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.story = append(s.story, fmt.Sprintf("%8.3f ", time.Since(s.began).Seconds())+fmt.Sprintf(format, args...))
}

func (s *schedule) between(low, high time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return low + time.Duration(s.rand.Int64N(int64(high-low)))
}

func (s *schedule) chance(percent int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(100) < percent
}

// clock is a process's own, which runs slower or faster by a little.
func (s *schedule) clock() term.Clock {
	began, rate := time.Now(), 0.98+0.04*float64(s.between(0, 1000))/1000
	return func() time.Duration { return time.Hour + time.Duration(rate*float64(time.Since(began))) }
}

// start starts a process.
func (s *schedule) start(identity string, change func(*Config)) *replica {
	r := &replica{done: make(chan struct{})}
	r.network = &network{
		server: s.server,
		delay:  func() time.Duration { return s.between(time.Millisecond, 20*time.Millisecond) },
		lag:    func() time.Duration { return s.between(0, 10*time.Millisecond) },
	}
	config := Config{
		Name: types.NamespacedName{Namespace: "ns", Name: "set"}, Identity: identity, Slots: slots, Key: "namespace",
		LeaseDuration: duration, RenewDeadline: 2 * time.Second, RetryPeriod: 400 * time.Millisecond,
		Margin: 300 * time.Millisecond, Client: r.network,
		Warm:   func(context.Context) error { return nil },
		Gained: func(context.Context, *Slot) {}, Gone: func(context.Context, *Slot) {}, Over: func(*term.Term) {},
		Fail:            func(err error) { s.t.Errorf("%s fails: %v", identity, err) },
		ShutdownTimeout: time.Minute,
	}
	config.Clock = s.clock()
	config.Elapsed = config.Clock
	if change != nil {
		change(&config)
	}
	r.keeper = New(config)
	ctx, end := context.WithCancel(s.ctx)
	process, kill := context.WithCancel(s.ctx)
	r.end = end
	r.kill = func() {
		r.dead.Store(true)
		r.network.cut(true)
		kill()
		end()
	}
	s.mu.Lock()
	s.replicas = append(s.replicas, r)
	s.mu.Unlock()
	go r.run(ctx, process)
	return r
}

// endAll ends replicas, one after the other, and waits for them.
func endAll(replicas ...*replica) {
	for _, r := range replicas {
		r.end()
		<-r.done
	}
}

// run is what a manager does with a keeper.
func (r *replica) run(ctx, process context.Context) {
	defer close(r.done)
	watching, unwatch := context.WithCancel(process)
	var parts sync.WaitGroup
	parts.Go(func() { _ = r.keeper.Watcher().Run(watching) })
	r.err = r.keeper.Run(ctx)
	unwatch()
	parts.Wait()
	if r.dead.Load() {
		r.keeper.Abandon()
	} else {
		r.keeper.Release(ctx)
	}
}

var _ lifecycle.Lease = (*Keeper)(nil)

// work does something in each slot that a replica has, again and again.
func (s *schedule) work(r *replica) {
	for !r.dead.Load() {
		select {
		case <-r.done:
			return
		default:
		}
		for number := range slots {
			slot := r.keeper.table.slots[number].Load()
			if slot == nil || !slot.Enter() {
				continue
			}
			took := s.between(0, 50*time.Millisecond)
			go func() {
				defer slot.Leave()
				time.Sleep(took)
			}()
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// check looks who may write in each slot now.
func (s *schedule) check() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number := range slots {
		var holder *replica
		for _, r := range s.replicas {
			slot := r.keeper.table.slots[number].Load()
			if r.dead.Load() || slot == nil || slot.Term.Check() != nil {
				continue
			}
			if holder != nil {
				s.faults = append(s.faults, fmt.Sprintf("%8.3f slot %d is in two hands: %s and %s",
					time.Since(s.began).Seconds(), number, holder.keeper.config.Identity, r.keeper.config.Identity))
			}
			holder = r
		}
		if holder != s.holders[number] {
			s.holders[number] = holder
			s.moves++
		}
	}
}

// unserved returns the slots that nobody serves.
func (s *schedule) unserved() (numbers []int) {
	s.check()
	s.mu.Lock()
	defer s.mu.Unlock()
	for number, holder := range s.holders {
		if holder == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// play runs replicas and faults for some time, and then without faults until all is served.
func (s *schedule) play() {
	stop := again(s.check)
	var workers sync.WaitGroup
	count := 2 + s.rand.IntN(7)
	live := make([]*replica, count)
	began := func(i int, identity string) {
		live[i] = s.start(identity, nil)
		r := live[i]
		workers.Go(func() { s.work(r) })
	}
	for i := range count {
		began(i, fmt.Sprintf("r%d", i))
		time.Sleep(s.between(0, time.Second))
	}
	for n := range 12 {
		i := int(s.between(0, time.Duration(count)))
		r := live[i]
		s.fault(r, i, n, func(identity string) { began(i, identity) }, func(identity string) {
			live = append(live, nil)
			began(len(live)-1, identity)
		})
		time.Sleep(s.between(100*time.Millisecond, 2*duration))
	}
	for _, r := range live {
		r.network.cut(false)
		r.network.set(s, 0, 10*time.Millisecond, 0)
	}
	s.tell("no more faults")
	time.Sleep(bound)
	if left := s.unserved(); len(left) > 0 {
		s.faults = append(s.faults, fmt.Sprintf("slots %v are not served %v after the last fault", left, bound))
	}
	for _, r := range live {
		r.end()
	}
	for _, r := range s.replicas {
		<-r.done
	}
	stop()
	workers.Wait()
}

// again looks at something every few milliseconds, until stop is called.
func again(look func()) (stop func()) {
	stopped := make(chan struct{})
	var looks sync.WaitGroup
	looks.Go(func() {
		for {
			select {
			case <-stopped:
				return
			case <-time.After(5 * time.Millisecond):
				look()
			}
		}
	})
	return func() { close(stopped); looks.Wait() }
}

// set changes how a network is from now on.
func (n *network) set(s *schedule, low, high time.Duration, lost int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lag = func() time.Duration { return s.between(low, high) }
	n.lost = func() bool { return s.chance(lost) }
}

// fault does something to a replica or to the Leases.
func (s *schedule) fault(r *replica, i, n int, began, join func(identity string)) {
	identity := r.keeper.config.Identity
	names := append(s.server.names(kindSlot), s.server.names(kindMember)...)
	if len(names) == 0 {
		return
	}
	name := names[int(s.between(0, time.Duration(len(names))))]
	switch s.between(0, 9) {
	case 0:
		s.tell("%s leaves, and another comes", identity)
		r.end()
		<-r.done
		began(fmt.Sprintf("r%d-%d", i, n))
	case 1:
		s.tell("%s is killed, and another comes", identity)
		r.kill()
		<-r.done
		began(fmt.Sprintf("r%d-%d", i, n))
	case 2:
		s.tell("%s is killed, and starts again", identity)
		r.kill()
		<-r.done
		began(identity)
	case 3, 4:
		s.tell("%s is cut off", identity)
		r.network.cut(true)
		time.Sleep(s.between(0, 2*duration))
		r.network.cut(false)
	case 5, 6:
		lag := s.between(duration/4, 4*duration)
		s.tell("the watch of %s lags by %v", identity, lag)
		r.network.set(s, lag, lag+10*time.Millisecond, 20)
		// Another one comes, to which the slot would go.
		other := fmt.Sprintf("x%d", n)
		s.edit(s.heldBy(r, other, name))
		join(other)
	case 7, 8:
		s.edit(name)
	}
}

// heldBy returns the Lease of a slot that a replica has and that would go to another if that came, or the
// given one.
func (s *schedule) heldBy(r *replica, other, name string) string {
	for _, number := range r.keeper.table.Held() {
		slot := r.keeper.table.slots[number].Load()
		if slot != nil && ownerOf(number, []string{r.keeper.config.Identity, other}) == other {
			return slot.Term.Term.Lease.Name
		}
	}
	return name
}

// edit does what people do to a Lease.
func (s *schedule) edit(name string) {
	switch s.between(0, 3) {
	case 0:
		s.tell("%s is deleted", name)
		_ = s.server.remove(name, nil)
	case 1:
		s.tell("%s is emptied", name)
		s.server.edit(name, func(lease *coordinationv1.Lease) { lease.Spec.HolderIdentity = ptr.To("") })
	case 2:
		s.tell("%s is held by a stranger", name)
		s.server.edit(name, func(lease *coordinationv1.Lease) {
			lease.Spec.HolderIdentity = ptr.To("stranger")
			delete(lease.Annotations, election.ProcessAnnotation)
		})
	}
}

func TestC31RandomSchedulesNeverHaveASlotInTwoHands(t *testing.T) {
	first, count := 0, 40
	if testing.Short() {
		count = 20
	}
	if text, ok := os.LookupEnv("LANYARD_SCHEDULES"); ok {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	if *seed >= 0 {
		first, count = int(*seed), 1
	}
	moves := 0
	for n := first; n < first+count && !t.Failed(); n++ {
		synctest.Test(t, func(t *testing.T) {
			s := newSchedule(t, uint64(n))
			s.play()
			moves += s.moves
			if len(s.faults) > 0 {
				t.Errorf("seed %d: %s", n, s.faults[0])
				for _, line := range s.story {
					t.Log(line)
				}
			}
		})
	}
	t.Logf("%d schedules, %d moves", count, moves)
}
