// SPDX-License-Identifier: Apache-2.0

// Package bubbletest is for tests in the bubbles of testing/synctest.
package bubbletest

import (
	"strings"
	"testing/synctest"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// Goroutines waits until every goroutine of the caller's bubble is blocked, and returns how many the bubble has.
//
// runtime.NumGoroutine counts those of the runtime too, which come and go: the one that runs finalizers, those that
// run cleanups, and what an earlier test's end has left for a moment.
func Goroutines() (n int) {
	synctest.Wait()
	stacks := work.Stacks()
	own := bubbleOf(stacks[work.GoroutineID()])
	if own == "" {
		panic("bubbletest.Goroutines was called outside of a bubble")
	}
	for _, stack := range stacks {
		if bubbleOf(stack) == own {
			n++
		}
	}
	return n
}

// bubbleOf returns what the stack of a goroutine says of its bubble: "goroutine 18 [running, synctest bubble 17]:".
func bubbleOf(stack string) string {
	header, _, _ := strings.Cut(stack, "\n")
	_, bubble, _ := strings.Cut(header, ", synctest bubble ")
	return bubble
}
