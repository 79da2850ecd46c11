// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// push adds an item that is not in the queue. The first letter of its name is its tenant.
func (r *Ranked[T]) push(item T, rank Rank) {
	rank.Tenant = strings.ToLower(fmt.Sprint(item)[:1])
	r.Add(r.Push, item, rank)
}

func (r *Ranked[T]) pushAll(priority int, items ...T) {
	for _, item := range items {
		r.push(item, Rank{Priority: priority})
	}
}

func (r *Ranked[T]) popAll() []T {
	var items []T
	for r.Len() > 0 {
		items = append(items, r.Pop())
	}
	return items
}

func expect(t *testing.T, r *Ranked[string], want string) {
	t.Helper()
	if got := strings.Join(r.popAll(), " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(r.levels)+len(r.entries)+len(r.adding)+len(r.urgent) != 0 {
		t.Errorf("an empty queue still knows %d levels, %v, %v and %v", len(r.levels), r.entries, r.adding, r.urgent)
	}
}

func TestTheHighestPriorityComesFirstAndTenantsTakeTurnsInIt(t *testing.T) {
	var r Ranked[string]
	r.pushAll(0, "a1", "a2", "a3", "b1", "c1", "b2")
	r.pushAll(7, "a4", "a5", "b3")
	r.pushAll(-1, "c2")
	expect(t, &r, "a4 b3 a5 a1 b1 c1 a2 b2 c2 a3")
}

func TestWhatHasNotChangedComesAfterOthersOfItsPriority(t *testing.T) {
	var r Ranked[string]
	r.push("a1", Rank{LowPriority: true})
	r.push("a2", Rank{Priority: 1, LowPriority: true})
	r.push("a3", Rank{})
	r.push("a4", Rank{Priority: 1})
	r.push("a5", Rank{Priority: -1})
	expect(t, &r, "a4 a2 a3 a1 a5")
}

func TestWhatIsPrioritizedComesBeforeTheHighestPriorityOnce(t *testing.T) {
	var r Ranked[string]
	r.pushAll(1000, "a1")
	r.Prioritize("a2")
	r.pushAll(-5, "a2", "a3")
	if got := r.Pop(); got != "a2" {
		t.Errorf("%s came first, want the one that is prioritized", got)
	}
	r.pushAll(-5, "a2")
	expect(t, &r, "a1 a3 a2")
}

func TestOneOfNineIsTheOneThatHasWaitedLongestOfLowerPriorities(t *testing.T) {
	var r Ranked[string]
	r.pushAll(-3, "a1")
	r.pushAll(-2, "a2", "a3")
	for i := range 20 {
		r.pushAll(5, fmt.Sprintf("b%02d", i))
	}
	expect(t, &r, "b00 b01 b02 b03 b04 b05 b06 b07 a1 b08 b09 b10 b11 b12 b13 b14 b15 a2 b16 b17 b18 b19 a3")
}

func TestAnItemWhosePriorityHasRisenMovesAndKeepsItOtherwise(t *testing.T) {
	var r Ranked[string]
	r.pushAll(0, "a1", "a2", "a3", "b1")
	r.Add(r.Touch, "a3", Rank{Priority: 1, Tenant: "a"})
	r.Add(r.Touch, "a2", Rank{Priority: -1, Tenant: "a"})
	r.Add(r.Touch, "b1", Rank{LowPriority: true, Tenant: "b"})
	expect(t, &r, "a3 a1 b1 a2")
}

func TestAnItemThatAWorkerHasComesBackWithTheHighestPriorityThatItHadMeanwhile(t *testing.T) {
	var r Ranked[string]
	dropped := func(string) {} // what the workqueue does with it
	r.Add(dropped, "a1", Rank{Priority: 2})
	r.Add(dropped, "a1", Rank{Priority: 9, Tenant: "a"})
	r.Add(dropped, "a1", Rank{Priority: 1})
	r.pushAll(8, "a2")
	r.Push("a1") // when the worker is done
	expect(t, &r, "a1 a2")
}

// TestTenThousandItemsOfATenantDoNotDelayThatOfAnother has the other item come at any moment, as the
// items of the first are taken. None of them is taken in between, unless the other tenant had a turn
// and the first had none since. As many items of lower priority wait too.
func TestTenThousandItemsOfATenantDoNotDelayThatOfAnother(t *testing.T) {
	var r Ranked[string]
	for i := range 10_000 {
		r.pushAll(0, fmt.Sprint("a", i))
		r.pushAll(-1, fmt.Sprint("a-low", i))
	}
	lower, hadTurn := 0, false
	pop := func() string {
		item := r.Pop()
		if strings.HasPrefix(item, "a-low") {
			lower++
		}
		hadTurn = hadTurn || strings.HasPrefix(item, "a")
		return item
	}
	pop()
	for i := 0; r.Len() > 10_000; i++ {
		for range i % 23 {
			pop()
		}
		other := fmt.Sprint("b", i)
		r.pushAll(0, other)
		if !hadTurn {
			pop()
		}
		if got := pop(); got != other {
			t.Fatalf("in round %d, %s came before the item of another tenant", i, got)
		}
		hadTurn = false
	}
	if lower < 500 {
		t.Errorf("%d items of lower priority came out meanwhile", lower)
	}
}

func TestAnItemThatComesBackAtOnceTakesTurnsWithOthersOfItsPriority(t *testing.T) {
	var r Ranked[string]
	for i := range 20 {
		r.pushAll(0, fmt.Sprint("a", i))
	}
	r.pushAll(0, "b")
	others := 0
	for range 20 {
		if item := r.Pop(); item == "b" {
			r.pushAll(0, "b")
		} else {
			others++
		}
	}
	if others != 10 {
		t.Errorf("%d of 20 turns were those of another tenant, want 10", others)
	}
}

// TestTenantsThatKeepComingStarveNobodyAndAreForgotten has new tenants come faster than they are served.
func TestTenantsThatKeepComingStarveNobodyAndAreForgotten(t *testing.T) {
	var r Ranked[int]
	tenant := func(item int) string { return fmt.Sprint(item) }
	add := func(item, priority int, tenant string) {
		r.Add(r.Push, item, Rank{Priority: priority, Tenant: tenant})
	}
	for i := range 100 {
		add(-i-1, 0, "old")
	}
	add(-1000, -1, "low")
	old, low, next := 0, 0, 0
	for range 20_000 {
		for range 2 {
			add(next, 0, tenant(next))
			next++
		}
		switch item := r.Pop(); {
		case item == -1000:
			low++
		case item < 0:
			old++
		}
		for _, l := range r.levels {
			if len(l.had) > maxRound || len(l.lines) > r.Len() {
				t.Fatalf("%d tenants that had their turn and %d that wait are kept", len(l.had), len(l.lines))
			}
		}
	}
	if old < 5 || low != 1 {
		t.Errorf("%d items of the first tenant and %d of lower priority came out", old, low)
	}
}

// TestLowerPrioritiesDoNotStarveBehindOneItemThatIsAlwaysThere because it comes back as soon as it is
// taken. Their tenants keep changing, and none is kept in mind for long.
func TestLowerPrioritiesDoNotStarveBehindOneItemThatIsAlwaysThere(t *testing.T) {
	for name, tenants := range map[string]int{"one tenant": 1, "two that alternate": 2} {
		t.Run(name, func(t *testing.T) {
			var r Ranked[int]
			lower := 0
			for i := range 20_000 {
				r.Add(r.Push, -i-1, Rank{Priority: 1, Tenant: fmt.Sprint("always ", i%tenants)})
				r.Add(r.Push, i, Rank{Tenant: fmt.Sprint(i)})
				for {
					item := r.Pop()
					if item < 0 {
						break
					}
					lower++
				}
				if low := r.levels[len(r.levels)-1]; len(low.had) > maxRound {
					t.Fatalf("%d tenants that had their turn are kept", len(low.had))
				}
			}
			if lower != (20_000-1)/fairShare {
				t.Errorf("%d items of lower priority came out, want one after eight of 20,000", lower)
			}
		})
	}
}

// TestLowerPrioritiesDoNotWaitForARoundOfVeryManyTenants if the one whose turn it is comes late in it.
func TestLowerPrioritiesDoNotWaitForARoundOfVeryManyTenants(t *testing.T) {
	var r Ranked[int]
	for i := range 1000 {
		r.Add(r.Push, i, Rank{Tenant: fmt.Sprint(i)})
	}
	r.Add(r.Push, -1, Rank{Priority: -1, Tenant: "999"})
	for i := range 1000 {
		if r.Pop() == -1 {
			if i != maxRound {
				t.Errorf("it came out after %d items, want %d", i, maxRound)
			}
			return
		}
	}
}

// model is the same queue, which looks for everything in a list.
type model struct {
	items  []modelItem // in the order in which they came
	rounds map[place]*modelRound
	served int
}

type modelItem struct {
	name  string
	at    place
	moved int // the number of its last move to another place
}

type modelRound struct{ queue, had []string }

// pop knows fewer tenants than maxRound.
func (m *model) pop() string {
	top := slices.MaxFunc(m.items, func(a, b modelItem) int { return a.at.compare(b.at) }).at
	round := m.rounds[top]
	waiting := slices.DeleteFunc(slices.Clone(round.queue), func(tenant string) bool { return slices.Contains(round.had, tenant) })
	if len(waiting) == 0 {
		round.had = nil
		waiting = round.queue
	}
	tenant := waiting[0]
	lower := slices.DeleteFunc(slices.Clone(m.items), func(i modelItem) bool { return i.at == top })
	if len(lower) == 0 {
		m.served = -1
	} else if oldest := m.oldest(lower); m.served >= maxRound || m.served >= fairShare &&
		(tenant == oldest.name[:1] || !slices.Contains(round.queue, oldest.name[:1])) {
		m.served = 0
		if slices.Contains(round.queue, oldest.name[:1]) {
			m.turn(round, oldest.name[:1])
			round.queue = append(round.queue, oldest.name[:1])
		}
		return m.take(oldest)
	}
	m.served++
	var found []modelItem
	for _, item := range m.items {
		if item.at == top && item.name[:1] == tenant {
			found = append(found, item)
		}
	}
	return m.take(slices.MinFunc(found, func(a, b modelItem) int { return cmp.Compare(a.moved, b.moved) }))
}

// oldest returns, of each place, the one that came there first, and of those the one that came first.
func (m *model) oldest(items []modelItem) modelItem {
	first := map[place]modelItem{}
	for _, item := range items {
		if other, ok := first[item.at]; !ok || item.moved < other.moved {
			first[item.at] = item
		}
	}
	return items[slices.IndexFunc(items, func(item modelItem) bool { return first[item.at] == item })]
}

func (m *model) turn(round *modelRound, tenant string) {
	round.had = append(round.had, tenant)
	round.queue = slices.DeleteFunc(round.queue, func(other string) bool { return other == tenant })
}

func (m *model) take(item modelItem) string {
	m.turn(m.rounds[item.at], item.name[:1])
	m.leave(item, true)
	return item.name
}

func (m *model) leave(item modelItem, taken bool) {
	m.items = slices.DeleteFunc(m.items, func(other modelItem) bool { return other == item })
	m.settle(item.at, item.name[:1], taken)
}

// settle lets a tenant queue up again if it has more items, and forgets a place without items.
func (m *model) settle(at place, tenant string, taken bool) {
	here, more := false, false
	for _, other := range m.items {
		here = here || other.at == at
		more = more || other.at == at && other.name[:1] == tenant
	}
	round := m.rounds[at]
	switch {
	case !here:
		delete(m.rounds, at)
	case more && taken:
		round.queue = append(round.queue, tenant)
	case !more:
		round.queue = slices.DeleteFunc(round.queue, func(other string) bool { return other == tenant })
	}
}

func (m *model) add(item modelItem) {
	m.items = append(m.items, item)
	m.join(item)
}

func (m *model) join(item modelItem) {
	if m.rounds[item.at] == nil {
		m.rounds[item.at] = &modelRound{}
	}
	if round := m.rounds[item.at]; !slices.Contains(round.queue, item.name[:1]) {
		round.queue = append(round.queue, item.name[:1])
	}
}

func TestRankedItemsComeOutAsInASimplerQueue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for run := range 200 {
		var r Ranked[string]
		m := &model{rounds: map[place]*modelRound{}}
		for step := range 400 {
			name := fmt.Sprintf("%c%d", 'a'+random.IntN(4), random.IntN(6))
			rank := Rank{Priority: random.IntN(3), LowPriority: random.IntN(3) == 0, Tenant: name[:1]}
			at := slices.IndexFunc(m.items, func(i modelItem) bool { return i.name == name })
			switch {
			case random.IntN(5) < 2 && len(m.items) > 0:
				if want, got := m.pop(), r.Pop(); got != want {
					t.Fatalf("run %d, step %d: %s, want %s", run, step, got, want)
				}
			case at < 0:
				r.Add(r.Push, name, rank)
				m.add(modelItem{name: name, at: placeOf(rank), moved: step})
			default:
				r.Add(r.Touch, name, rank)
				if item := m.items[at]; placeOf(rank).compare(item.at) > 0 {
					from := item
					m.items[at] = modelItem{name: name, at: placeOf(rank), moved: step}
					m.settle(from.at, name[:1], false)
					m.join(m.items[at])
				}
			}
			if r.Len() != len(m.items) {
				t.Fatalf("run %d, step %d: %d items, want %d", run, step, r.Len(), len(m.items))
			}
		}
	}
}
