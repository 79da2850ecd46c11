// SPDX-License-Identifier: Apache-2.0

package clientspans

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/lanyard-k8s/lanyard/controller/report"
)

const (
	maxAttempts = 1024        // the number of calls that are remembered
	memory      = time.Minute // the time after a wait in which an attempt is another one of the same call
	fenceWait   = 10 * time.Second
)

// attempts remembers the calls that are about to be sent again. client-go makes a new request for
// each attempt, and nothing connects it to the one before but the span above and the URL. It is
// safe for concurrent use.
type attempts struct {
	mu     sync.Mutex
	failed map[attemptKey]failed
}

type attemptKey struct {
	trace               trace.TraceID
	parent              trace.SpanID
	method, path, query string
}

// failed is an attempt after which client-go makes another.
type failed struct {
	number int // 0 for the first attempt
	at     time.Time
	wait   time.Duration // the longest before the next
	reason report.Throttle
}

func keyOf(parent trace.SpanContext, req *http.Request) attemptKey {
	query := req.URL.RawQuery
	// The time-out that tells the server the context's deadline changes from attempt to attempt.
	if at := strings.LastIndex(query, "timeout="); at == 0 || at > 0 && query[at-1] == '&' {
		query = query[:at]
	}
	return attemptKey{
		parent.TraceID(),
		parent.SpanID(),
		req.Method,
		req.URL.Path,
		strings.TrimSuffix(query, "&"),
	}
}

// take returns and forgets the attempt before.
func (a *attempts) take(key attemptKey, now time.Time) (failed, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, ok := a.failed[key]
	delete(a.failed, key)
	return before, ok && now.Before(before.at.Add(before.wait+memory))
}

func (a *attempts) add(key attemptKey, f failed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed == nil {
		a.failed = map[attemptKey]failed{}
	}
	if len(a.failed) >= maxAttempts {
		for old, before := range a.failed {
			if !f.at.Before(before.at.Add(before.wait + memory)) {
				delete(a.failed, old)
			}
		}
	}
	if len(a.failed) < maxAttempts {
		a.failed[key] = f
	}
}
