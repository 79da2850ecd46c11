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
