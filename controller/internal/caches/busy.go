// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

// Busy knows which function of the user runs on a goroutine of client-go, and since when. Such a
// function must not block, because all later events wait for it. The zero value is idle. It is safe
// for concurrent use.
type Busy struct {
	mu     sync.Mutex
	what   string
	object any
	since  time.Time // zero: nothing runs
}

// Begin notes that a function runs on an object. End must follow.
func (b *Busy) Begin(what string, object any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.what = what
	b.object = object
	b.since = time.Now()
}

// End notes that the function has returned.
func (b *Busy) End() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.since = time.Time{}
}

// Stalled returns an error if a function has been running for longer than a time. name is the
// informer's.
func (b *Busy) Stalled(name string, now time.Time, after time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.since.IsZero() || now.Sub(b.since) < after {
		return nil
	}
	return fmt.Errorf("%s: a %s has been running for %v on object %s: it must not block, because all "+
		"later events wait for it", name, b.what, now.Sub(b.since).Round(time.Millisecond), nameOf(b.object))
}

// nameOf returns the namespace and name of an object.
func nameOf(object any) string {
	if named, ok := object.(klog.KMetadata); ok {
		return klog.KObj(named).String()
	}
	return fmt.Sprintf("of type %T", object)
}
