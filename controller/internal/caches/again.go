// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"sync"
	"time"
)

// againAfter is the time after which a message that goes on is told again.
const againAfter = time.Minute

// maxMessages bounds the messages that an Again remembers. Beyond it, new ones share one entry.
const maxMessages = 100

// Again decides when a message that may come for each object is logged: at once, and then once a
// minute while it goes on. The zero value is ready for use. It is safe for concurrent use.
type Again struct {
	mu   sync.Mutex
	told map[string]*telling
}

type telling struct {
	at     time.Time
	missed int
}

// Due reports whether a message is to be logged now. missed is how often it came since it was last
// logged.
func (a *Again) Due(message string, now time.Time) (due bool, missed int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.told == nil {
		a.told = map[string]*telling{}
	}
	before := a.told[message]
	if before == nil && len(a.told) >= maxMessages {
		message = "" // whatever else comes
		before = a.told[message]
	}
	switch {
	case before == nil:
		a.told[message] = &telling{at: now}
		return true, 0
	case now.Sub(before.at) < againAfter:
		before.missed++
		return false, 0
	}
	missed = before.missed
	*before = telling{at: now}
	return true, missed
}
