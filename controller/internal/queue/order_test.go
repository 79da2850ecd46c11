package queue_test

import (
	"slices"
	"testing"

	"github.com/lanyard-k8s/lanyard/controller/internal/queue"
)

func TestItemsComeOutInTheirOrderAndUrgentOnesFirst(t *testing.T) {
	var o queue.Order[int]
	for i := range 5 {
		o.Push(i)
	}
	o.Hasten(10)
	o.Hasten(11)
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
	o.Hasten(13)
	o.Push(13)
	if got := []int{o.Pop(), o.Pop(), o.Pop()}; !slices.Equal(got, []int{13, 10, 12}) {
		t.Errorf("%v", got)
	}
}

func TestItemsThatCanWaitComeLastButDoNotStarve(t *testing.T) {
	var o queue.Order[int]
	for i := range 4 {
		o.AddLater(o.Push, 100+i)
	}
	for i := range 12 {
		o.CannotWait(i)
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
		o.AddLater(o.Push, i)
	}
	o.CannotWait(2)        // it is in the queue
	o.AddLater(o.Touch, 2) // and keeps its place there
	if o.Len() != 3 {
		t.Errorf("%d items, want 3", o.Len())
	}
	if got := []int{o.Pop(), o.Pop(), o.Pop()}; !slices.Equal(got, []int{2, 0, 1}) || o.Len() != 0 {
		t.Errorf("%v, and %d are left", got, o.Len())
	}
	o.AddLater(func(i int) {
		o.Push(6) // by somebody else, in the same moment
		o.Push(i)
	}, 8)
	o.AddLater(func(int) {}, 7) // it is being worked on
	o.Push(7)
	if got := []int{o.Pop(), o.Pop(), o.Pop()}; !slices.Equal(got, []int{6, 7, 8}) {
		t.Errorf("%v", got)
	}
}
