// SPDX-License-Identifier: Apache-2.0

// Package output collects what a process under test writes, while the test reads it.
package output

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Buffer keeps what is written to it. The zero value is empty. It is for any number of goroutines.
type Buffer struct {
	mu      sync.Mutex
	text    strings.Builder
	written chan struct{} // closed at the next write; nil while nobody waits for it
}

// Write appends to the buffer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.written != nil {
		close(b.written)
		b.written = nil
	}
	return b.text.Write(p)
}

// String is what has been written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Await returns what a pattern and its groups match once they do. The test fails after a minute.
func (b *Buffer) Await(t *testing.T, pattern *regexp.Regexp) []string {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		match, written := b.find(pattern)
		if match != nil {
			return match
		}
		select {
		case <-written:
		case <-deadline:
			t.Fatalf("after a minute there is no %s in the output", pattern)
		}
	}
}

// find matches, and says when it is worth trying again.
func (b *Buffer) find(pattern *regexp.Regexp) (match []string, written <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.written == nil {
		b.written = make(chan struct{})
	}
	return pattern.FindStringSubmatch(b.text.String()), b.written
}
