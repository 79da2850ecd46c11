// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// One schedule again: go test -run Schedules -seed 4711 -count 20. The faults are then the same;
// what happens in one instant has no order, and client-go's jitter is its own.
var seed = flag.Int64("seed", -1, "run only the random schedule of this number")

// schedules is how many are run. LANYARD_SCHEDULES says another number, and LANYARD_FIRST_SEED with
// which to begin.
func schedules(t *testing.T) (first, count int) {
	count = 150
	if testing.Short() {
		count = 50
	}
	for name, value := range map[string]*int{"LANYARD_SCHEDULES": &count, "LANYARD_FIRST_SEED": &first} {
		if text, ok := os.LookupEnv(name); ok {
			var err error
			if *value, err = strconv.Atoi(text); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	return first, count
}

func TestC12C13C15RandomSchedulesNeverHaveTwoValidTerms(t *testing.T) {
	first, count := schedules(t)
	if *seed >= 0 {
		first, count = int(*seed), 1
	}
	const lanes = 4
	var terms, writes atomic.Int64
	t.Run("schedules", func(t *testing.T) {
		for lane := range min(lanes, count) {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				for n := first + lane; n < first+count && !t.Failed(); n += lanes {
					synctest.Test(t, func(t *testing.T) {
						m := runSchedule(t, uint64(n))
						terms.Add(int64(len(m.reigns)))
						writes.Add(int64(m.writes))
						if len(m.faults) > 0 {
							t.Errorf(
								"seed %d: %s\n%s",
								n,
								strings.Join(m.faults, "\n"),
								strings.Join(m.story, "\n"),
							)
						}
					})
				}
			})
		}
	})
	t.Logf("%d schedules, %d terms, %d writes", count, terms.Load(), writes.Load())
}

// replica is one process of a schedule, or, after a crash, the next one in its place.
type replica struct {
	number    int
	process   *process
	network   *network
	candidate *Candidate
	written   time.Duration // when it last wrote the lease, by its clock
	known     int           // the newest version of the lease that an answer has shown
	stuck     atomic.Bool
	resign    chan bool // gives leadership up, to campaign again or not
	end       context.CancelFunc
	current   atomic.Pointer[reign]
}

type schedule struct {
	*monitor
	rand   *rand.Rand
	config Config
	store  *store
	ctx    context.Context
	join   sync.WaitGroup
	seed   uint64
}

var timings = []Config{
	{
		LeaseDuration: time.Second,
		RenewDeadline: 900 * time.Millisecond,
		RetryPeriod:   200 * time.Millisecond,
		Margin:        100 * time.Millisecond,
	},
	{
		LeaseDuration: 2 * time.Second,
		RenewDeadline: 1800 * time.Millisecond,
		RetryPeriod:   400 * time.Millisecond,
		Margin:        200 * time.Millisecond,
	},
	{
		LeaseDuration: 3 * time.Second,
		RenewDeadline: 2700 * time.Millisecond,
		RetryPeriod:   900 * time.Millisecond,
		Margin:        300 * time.Millisecond,
	},
	{
		LeaseDuration: 15 * time.Second,
		RenewDeadline: 10 * time.Second,
		RetryPeriod:   2 * time.Second,
		Margin:        1500 * time.Millisecond,
	},
	{
		LeaseDuration: 15 * time.Second,
		RenewDeadline: 13500 * time.Millisecond,
		RetryPeriod:   5 * time.Second,
		Margin:        1500 * time.Millisecond,
	},
}

func runSchedule(t *testing.T, seed uint64) *monitor {
	s := &schedule{
		monitor: newMonitor(),
		rand:    rand.New(rand.NewPCG(seed, 1)),
		store:   newStore(),
		seed:    seed,
	}
	s.store.applied = s.applied
	s.config = timings[s.rand.IntN(len(timings))]
	ctx, end := context.WithCancel(klog.NewContext(t.Context(), logr.Discard()))
	s.ctx = ctx
	replicas := 2 + s.rand.IntN(3)
	for i := range replicas {
		identity := fmt.Sprintf("pod-%d", i)
		if i == 1 && s.rand.IntN(6) == 0 {
			identity = "pod-0"
		}
		// In half of the schedules a container that is started again knows it.
		var home *Home
		if seed%2 == 0 {
			home = homeIn(fmt.Sprintf("pod-%d", i), "manager", "first")
		}
		s.launch(identity, home)
	}
	s.misfortunes(time.Duration(6+s.rand.IntN(12)) * s.config.LeaseDuration)
	s.recover()
	s.handOver()
	end()
	s.join.Wait()
	time.Sleep(5 * s.config.LeaseDuration) // for requests that nobody waits for
	synctest.Wait()
	if lease, err := s.store.get(); err == nil && s.leader() != nil {
		s.note("VIOLATED: at the end %s", describe(lease))
		s.faults = append(s.faults, "somebody leads after the end")
	}
	return s.monitor
}

// launch starts a process.
func (s *schedule) launch(identity string, home *Home) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := len(s.replicas)
	slowest := 1 - 0.8*float64(s.config.Margin)/float64(s.config.LeaseDuration)
	r := &replica{number: number, resign: make(chan bool, 1)}
	r.process = &process{
		number:    number,
		rate:      slowest + max(0, s.rand.Float64()-0.5)*0.4,
		start:     time.Now(),
		onRelease: s.releasing,
	}
	r.network = &network{
		store:   s.store,
		process: r.process,
		rand:    rand.New(rand.NewPCG(s.seed, uint64(number)+2)),
		scale:   s.config.RenewDeadline / 2,
		faulty:  true,
	}
	r.network.told = func(lease *coordinationv1.Lease, byWatch bool) { s.told(r, lease, byWatch) }
	config := s.config
	config.Lease, config.Identity = types.NamespacedName{
		Namespace: "default",
		Name:      "lease",
	}, identity
	config.Client, config.Clock = r.network, r.process.clock
	config.Home = home
	config.Healthy = func() error {
		if r.stuck.Load() {
			return errors.New("nothing goes on")
		}
		return nil
	}
	r.candidate = New(config)
	s.replicas = append(s.replicas, r)
	var ctx context.Context
	ctx, r.end = context.WithCancel(s.ctx)
	s.tell(
		"replica %d is %s, its clock runs at %.3f, lease %v, margin %v",
		number,
		identity,
		r.process.rate,
		config.LeaseDuration,
		config.Margin,
	)
	s.join.Go(func() { _ = r.candidate.WatchLease(ctx) })
	s.join.Go(func() { s.live(ctx, r) })
	s.join.Go(func() { s.writing(ctx, r) })
}

// live is the life of a replica: it campaigns, works, and gives up or loses.
func (s *schedule) live(ctx context.Context, r *replica) {
	chance := rand.New(rand.NewPCG(s.seed, uint64(r.number)+1000))
	for again := true; again && ctx.Err() == nil; {
		renewal, err := r.candidate.Campaign(ctx)
		if err != nil {
			return
		}
		reign := s.begins(r, renewal.Term, r.candidate.lastAttempt().lastLease().UID)
		r.current.Store(reign)
		stay := time.Duration(chance.ExpFloat64() * 5 * float64(s.config.LeaseDuration))
		select {
		case <-renewal.Term.Context().Done():
		case <-time.After(stay):
			if !r.network.isFaulty() { // without faults it leads until it is told
				select {
				case <-renewal.Term.Context().Done():
				case again = <-r.resign:
				}
			}
		case again = <-r.resign:
		}
		if chance.IntN(2) == 0 && r.network.isFaulty() { // the lease is held while work drains
			time.Sleep(time.Duration(chance.Int64N(int64(s.config.LeaseDuration))))
		}
		r.process.awake()
		r.current.Store(nil)
		s.returned(reign)
		if chance.IntN(8) == 0 && r.network.isFaulty() {
			renewal.Abandon()
			continue
		}
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		_ = renewal.Release(release)
		cancel()
	}
}

// writing is work that looks at its term before each write.
func (s *schedule) writing(ctx context.Context, r *replica) {
	chance := rand.New(rand.NewPCG(s.seed, uint64(r.number)+2000))
	for pause(ctx, time.Duration(chance.Int64N(int64(s.config.LeaseDuration/6)))) {
		r.process.awake()
		if reign := r.current.Load(); reign != nil && !r.process.isDead() && reign.Check() == nil {
			s.write(reign)
		}
	}
}

func (n *network) isFaulty() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.faulty
}

// misfortunes go on for a time.
func (s *schedule) misfortunes(span time.Duration) {
	for end := time.Now().Add(span); time.Now().Before(end); {
		time.Sleep(time.Duration(s.rand.Int64N(int64(s.config.LeaseDuration))))
		r := s.replicas[s.rand.IntN(len(s.replicas))]
		length := time.Duration(s.rand.ExpFloat64() * float64(s.config.LeaseDuration))
		switch s.rand.IntN(12) {
		case 0, 1, 2, 3:
			s.note("replica %d is stopped for %v", r.number, length)
			r.process.stop()
			s.join.Go(func() {
				time.Sleep(length)
				s.note("replica %d goes on", r.number)
				r.process.resume()
			})
		case 4:
			if len(s.replicas) < 8 && !r.process.isDead() {
				s.crash(r)
			}
		case 5:
			r.stuck.Store(true)
			time.AfterFunc(length, func() { r.stuck.Store(false) })
		case 6:
			s.meddle()
		case 7, 8, 9, 10:
			s.note("replica %d is cut off for %v", r.number, 2*length)
			r.network.cut(2 * length)
		}
	}
}

// crash ends a process without a word; its pod has a new one at once.
func (s *schedule) crash(r *replica) {
	s.note("replica %d crashes", r.number)
	r.process.mu.Lock()
	r.process.dead = true
	r.process.mu.Unlock()
	r.process.resume()
	r.end()
	home := r.candidate.config.Home
	if home != nil {
		home = homeIn(home.Pod, home.Name, fmt.Sprint(len(s.replicas)))
	}
	s.launch(r.candidate.config.Identity, home)
}

// meddle edits the lease by hand.
func (s *schedule) meddle() {
	s.store.mu.Lock()
	lease := s.store.lease
	s.store.mu.Unlock()
	if lease == nil {
		return
	}
	robs := func(edited *coordinationv1.Lease) { s.byHand(edited) }
	switch s.rand.IntN(6) {
	case 0:
		s.store.edit(
			func(l *coordinationv1.Lease) { l.Labels = map[string]string{"touched": time.Now().String()} },
		)
	case 1:
		s.store.edit(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("a person") })
	case 2:
		s.store.edit(func(l *coordinationv1.Lease) {
			l.Spec.HolderIdentity = ptr.To("pod-1") // who knows nothing of it
			delete(l.Annotations, ProcessAnnotation)
		})
	case 3:
		s.store.edit(func(l *coordinationv1.Lease) {
			l.Spec.HolderIdentity = ptr.To("")
			l.ResourceVersion = s.store.next()
			robs(l)
		})
	case 4:
		s.store.edit(func(l *coordinationv1.Lease) {
			l.Spec.LeaseDurationSeconds = ptr.To[int32](0)
			l.ResourceVersion = s.store.next()
			robs(l)
		})
	case 5:
		gone := lease.DeepCopy()
		gone.ResourceVersion = strconv.Itoa(1 << 30)
		robs(gone)
		s.store.remove()
	}
}

// next is the version that the next change will have. The lock is held.
func (s *store) next() string { return strconv.Itoa(s.version + 1) }

// recover ends all faults: somebody leads again within a bound.
func (s *schedule) recover() {
	s.note("no faults from now on")
	for _, r := range s.replicas {
		r.process.resume()
		r.network.setFaulty(false)
		r.stuck.Store(false)
	}
	bound := 2*s.config.LeaseDuration + s.config.RenewDeadline + 5*s.config.RetryPeriod
	began := time.Now()
	for s.leader() == nil && time.Since(began) < bound {
		time.Sleep(10 * time.Millisecond)
	}
	if s.leader() == nil {
		s.mu.Lock()
		s.violated("nobody leads %v after the last fault", bound)
		s.mu.Unlock()
	}
}

// handOver ends the leader in order: another leads within round trips.
func (s *schedule) handOver() {
	time.Sleep(
		65 * time.Second,
	) // client-go's reflectors wait up to a minute before they watch again
	old := s.leader()
	living := 0
	for _, r := range s.replicas {
		if !r.process.isDead() {
			living++
		}
	}
	if old == nil || living < 2 {
		s.mu.Lock()
		s.violated("%v leads, %d live", old, living)
		s.mu.Unlock()
		return
	}
	began := time.Now()
	s.note("replica %d is told to end", old.number)
	old.resign <- false
	const bound = 100 * time.Millisecond // some ten round trips, and half of the shortest retry period
	time.Sleep(bound)
	if next := s.leader(); next == nil || next == old {
		s.mu.Lock()
		s.violated("%v after the leader resigned no other leads", time.Since(began))
		s.mu.Unlock()
	}
	time.Sleep(time.Second)
}

func meta(version string) metav1.ObjectMeta { return metav1.ObjectMeta{ResourceVersion: version} }

func metaOf(name types.NamespacedName) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}
}

var _ term.Clock = (&process{}).clock
