package tracing

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

const (
	maxAttempts = 1024        // remembered at a time, of all clients
	memory      = time.Minute // how long after the wait that was asked for an attempt is another of the same call
	fenceWait   = 10 * time.Second
)

// attempts remembers calls that are about to be sent again: client-go makes a new request for each attempt,
// and tells nobody that it belongs to the one before. What they have in common is the span above and the URL.
type attempts struct {
	mu     sync.Mutex
	failed map[attemptKey]failed
}

type attemptKey struct {
	trace               trace.TraceID
	parent              trace.SpanID
	method, path, query string
}

// failed is an attempt after which another is to be expected.
type failed struct {
	number int // 0 for the first attempt
	at     time.Time
	wait   time.Duration // at most, before the next
	reason string        // for that
}

func keyOf(parent trace.SpanContext, req *http.Request) attemptKey {
	query := req.URL.RawQuery
	// What the server is told of the context's deadline is another each time.
	if at := strings.LastIndex(query, "timeout="); at == 0 || at > 0 && query[at-1] == '&' {
		query = query[:at]
	}
	return attemptKey{parent.TraceID(), parent.SpanID(), req.Method, req.URL.Path, strings.TrimSuffix(query, "&")}
}

// take finds, and forgets, the attempt before.
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
