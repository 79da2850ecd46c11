// SPDX-License-Identifier: Apache-2.0

// Package bubbletest is for tests in the bubbles of testing/synctest.
package bubbletest

import (
	"bytes"
	"runtime"
	"testing/synctest"
)

// Goroutines waits until every goroutine of the caller's bubble is blocked, and returns how many the bubble has.
//
// runtime.NumGoroutine counts those of the runtime too, which come and go: the one that runs finalizers, those that
// run cleanups, and what an earlier test's end has left for a moment.
func Goroutines() int {
	synctest.Wait()
	stacks := make([]byte, 1<<16)
	for {
		n := runtime.Stack(stacks, true)
		if n < len(stacks) {
			stacks = stacks[:n]
			break
		}
		stacks = make([]byte, 2*len(stacks))
	}
	// The caller comes first: "goroutine 18 [running, synctest bubble 17]:".
	header, _, _ := bytes.Cut(stacks, []byte("\n"))
	_, bubble, found := bytes.Cut(header, []byte(", synctest bubble "))
	if !found {
		panic("bubbletest.Goroutines was called outside of a bubble, by " + string(header))
	}
	return bytes.Count(stacks, append([]byte(", synctest bubble "), bubble...))
}
