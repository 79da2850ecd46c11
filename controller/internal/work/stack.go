// SPDX-License-Identifier: Apache-2.0

package work

import (
	"bytes"
	"runtime"
	"strconv"
)

// GoroutineID returns the number that stack traces give to the calling goroutine, or 0 if it cannot
// be read. It is for reports only.
func GoroutineID() uint64 {
	var buf [64]byte
	header := buf[:runtime.Stack(buf[:], false)]
	header = bytes.TrimPrefix(header, []byte("goroutine "))
	if i := bytes.IndexByte(header, ' '); i > 0 {
		id, err := strconv.ParseUint(string(header[:i]), 10, 64)
		if err == nil {
			return id
		}
	}
	return 0
}

// maxStacks bounds the memory for the stacks of all goroutines.
const maxStacks = 64 << 20

// Stacks returns the stack of each goroutine of the process by its number. It stops the world.
func Stacks() map[uint64]string {
	size := 1 << 20
	buf := make([]byte, size)
	n := runtime.Stack(buf, true)
	for n == size && size < maxStacks {
		size *= 2
		buf = make([]byte, size)
		n = runtime.Stack(buf, true)
	}
	stacks := map[uint64]string{}
	for _, stack := range bytes.Split(buf[:n], []byte("\n\n")) {
		rest, ok := bytes.CutPrefix(stack, []byte("goroutine "))
		if !ok {
			continue
		}
		number, _, _ := bytes.Cut(rest, []byte(" "))
		if id, err := strconv.ParseUint(string(number), 10, 64); err == nil {
			stacks[id] = string(stack)
		}
	}
	return stacks
}
