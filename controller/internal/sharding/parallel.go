// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"sync"
	"sync/atomic"
)

// atOnce is how many Leases are written at the same time.
const atOnce = 8

// inParallel calls f for each of the elements, for some at a time, and returns the first error.
func inParallel[T any](elements []T, f func(T) error) error {
	var (
		mu    sync.Mutex
		first error
		next  atomic.Int64
		calls sync.WaitGroup
	)
	for range min(atOnce, len(elements)) {
		calls.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(elements) {
					return
				}
				if err := f(elements[i]); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
				}
			}
		})
	}
	calls.Wait()
	return first
}
