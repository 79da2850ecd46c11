// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"

	"github.com/lanyard-k8s/lanyard/controller/internal/race"
)

// BenchmarkAddGetDone takes one key through a queue that holds others: client-go's own storage, and
// ours behind the same workqueue, with and without fairness. The module test/bench has the same for other frameworks' queues.
func BenchmarkAddGetDone(b *testing.B) {
	for name, q := range queues() {
		b.Run(name, func(b *testing.B) { benchmarkAddGetDone(b, q, q.Add) })
	}
	var ranked Ranked[types.NamespacedName]
	q := workqueue.NewTypedWithConfig(
		workqueue.TypedQueueConfig[types.NamespacedName]{Queue: &ranked})
	b.Run("lanyard-fair", func(b *testing.B) {
		benchmarkAddGetDone(b, q, func(key types.NamespacedName) {
			ranked.Add(q.Add, key, Rank{Tenant: key.Name[len(key.Name)-1:]})
		})
	})
}

func benchmarkAddGetDone(
	b *testing.B, q workqueue.TypedInterface[types.NamespacedName], add func(types.NamespacedName),
) {
	defer q.ShutDown()
	keys := fillQueue(add)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		addGetDone(q, add, keys[i%len(keys)])
	}
}

func TestAllocationsOfTheQueueAreThoseOfClientGo(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates too")
	}
	got := map[string]float64{}
	for name, q := range queues() {
		keys := fillQueue(q.Add)
		i := 0
		got[name] = testing.AllocsPerRun(10_000, func() {
			addGetDone(q, q.Add, keys[i%len(keys)])
			i++
		})
		q.ShutDown()
	}
	if got["lanyard"] > got["client-go"] {
		t.Errorf("%v allocations for add, get and done, client-go has %v", got["lanyard"], got["client-go"])
	}
}

func queues() map[string]workqueue.TypedInterface[types.NamespacedName] {
	return map[string]workqueue.TypedInterface[types.NamespacedName]{
		"client-go": workqueue.NewTyped[types.NamespacedName](),
		"lanyard": workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[types.NamespacedName]{
			Queue: &Order[types.NamespacedName]{},
		}),
	}
}

// fillQueue adds half of the keys that it returns.
func fillQueue(add func(types.NamespacedName)) []types.NamespacedName {
	keys := make([]types.NamespacedName, 2000)
	for i := range keys {
		keys[i] = types.NamespacedName{Namespace: "default", Name: "object-" + strconv.Itoa(i)}
	}
	for _, key := range keys[1000:] {
		add(key)
	}
	return keys
}

func addGetDone(
	q workqueue.TypedInterface[types.NamespacedName],
	add func(types.NamespacedName),
	key types.NamespacedName,
) {
	add(key)
	next, _ := q.Get()
	q.Done(next)
}
