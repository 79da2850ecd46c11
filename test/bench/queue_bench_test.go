// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
)

// BenchmarkAddGetDone takes one key through a queue that holds others. The framework's own, which cannot be
// reached from here, is beside its code: controller/internal/queue.
func BenchmarkAddGetDone(b *testing.B) {
	queues := map[string]func() workqueue.TypedRateLimitingInterface[types.NamespacedName]{
		"client-go": func() workqueue.TypedRateLimitingInterface[types.NamespacedName] {
			return workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[types.NamespacedName]())
		},
		"controller-runtime": func() workqueue.TypedRateLimitingInterface[types.NamespacedName] {
			return priorityqueue.New[types.NamespacedName]("bench")
		},
	}
	for name, newQueue := range queues {
		b.Run(name, func(b *testing.B) {
			q := newQueue()
			defer q.ShutDown()
			keys := keys(2000)
			for _, key := range keys[1000:] {
				q.Add(key)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				q.Add(keys[i%len(keys)])
				next, _ := q.Get()
				q.Done(next)
			}
		})
	}
}

func keys(n int) []types.NamespacedName {
	all := make([]types.NamespacedName, n)
	for i := range all {
		all[i] = types.NamespacedName{Namespace: "default", Name: "object-" + strconv.Itoa(i)}
	}
	return all
}
