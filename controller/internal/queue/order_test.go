// SPDX-License-Identifier: Apache-2.0

package queue_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lanyard-k8s/lanyard/controller/internal/queue"
)

func TestItemsComeOutInTheirOrderAndUrgentOnesFirst(t *testing.T) {
	var o queue.Order[int]
	for i := range 5 {
		o.Push(i)
	}
	o.Prioritize(10)
	o.Prioritize(11)
	o.Push(10)
	o.Push(5)
	o.Push(11)
	var got []int
	for o.Len() > 0 {
		got = append(got, o.Pop())
	}
	if want := []int{11, 10, 0, 1, 2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	o.Push(10) // urgent only once
	o.Push(12)
	o.Prioritize(13)
	o.Push(13)
	if got := []int{o.Pop(), o.Pop(), o.Pop()}; !slices.Equal(got, []int{13, 10, 12}) {
		t.Errorf("%v", got)
	}
}

func TestItemsThatCanWaitComeLastButDoNotStarve(t *testing.T) {
	var o queue.Order[int]
	for i := range 4 {
		o.AddLowPriority(o.Push, 100+i)
	}
	for i := range 12 {
		o.Push(i)
	}
	var got []int
	for o.Len() > 0 {
		got = append(got, o.Pop())
	}
	if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 100, 8, 9, 10, 11, 101, 102, 103}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAnItemThatCannotWaitAnyMoreGoesToTheOthersOnce(t *testing.T) {
	var o queue.Order[int]
	for i := range 3 {
		o.AddLowPriority(o.Push, i)
	}
	o.Touch(2)                   // it is in the queue
	o.AddLowPriority(o.Touch, 2) // and keeps its place there
	if o.Len() != 3 {
		t.Errorf("%d items, want 3", o.Len())
	}
	if got := []int{o.Pop(), o.Pop(), o.Pop()}; !slices.Equal(got, []int{2, 0, 1}) || o.Len() != 0 {
		t.Errorf("%v, and %d are left", got, o.Len())
	}
	o.AddLowPriority(func(i int) {
		o.Push(6) // by somebody else, in the same moment
		o.Push(i)
	}, 8)
	o.AddLowPriority(func(int) {}, 7) // it is being worked on
	o.Push(7)
	if got := []int{o.Pop(), o.Pop(), o.Pop()}; !slices.Equal(got, []int{6, 7, 8}) {
		t.Errorf("%v", got)
	}
}

// TestItemsComeOutAsInASimplerQueue compares with one that looks for everything in its lists.
func TestItemsComeOutAsInASimplerQueue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var (
			o                  queue.Order[int]
			front, back, later []int
			served             int
		)
		for step := range 300 {
			item, waits := random.IntN(20), random.IntN(3) > 0
			switch queued := slices.Contains(slices.Concat(front, back, later), item); {
			case random.IntN(2) == 0 && len(front) > 0:
				last := len(front) - 1
				if got := o.Pop(); got != front[last] {
					t.Fatalf("step %d: %d, want the last of %v", step, got, front)
				}
				front = front[:last]
			case random.IntN(2) == 0 && len(front) == 0 && len(back)+len(later) > 0:
				from := &back
				if served++; len(later) > 0 && (len(back) == 0 || served > 8) {
					from, served = &later, 0
				}
				want := (*from)[0]
				*from = (*from)[1:]
				if got := o.Pop(); got != want {
					t.Fatalf("step %d: %d, want %d before %v and %v", step, got, want, back, later)
				}
			case waits && !queued:
				o.AddLowPriority(o.Push, item)
				later = append(later, item)
			case waits:
				o.AddLowPriority(o.Touch, item)
			case !queued && random.IntN(3) == 0:
				o.Prioritize(item)
				o.Push(item)
				front = append(front, item)
			default:
				add := o.Push
				if queued {
					add = o.Touch
				}
				add(item)
				if i := slices.Index(later, item); i >= 0 {
					later, back = slices.Delete(later, i, i+1), append(back, item)
				} else if !queued {
					back = append(back, item)
				}
			}
			if o.Len() != len(front)+len(back)+len(later) {
				t.Fatalf("step %d: %d items, want %d", step, o.Len(), len(front)+len(back)+len(later))
			}
		}
	}
}
