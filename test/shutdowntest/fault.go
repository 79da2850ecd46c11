// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"fmt"
	"time"
)

// Fault is what happens to the requests of a rule.
type Fault struct {
	kind       kind
	delay      time.Duration
	status     int
	retryAfter time.Duration
}

type kind string

const (
	pass          kind = "only counted"
	stall         kind = "stalled"
	blackHole     kind = "black-holed"
	halfBody      kind = "stalled half way through the body"
	delayed       kind = "delayed"
	cut           kind = "cut"
	cutAnswer     kind = "cut after it was applied"
	cutConnection kind = "cut with its connection"
	answer        kind = "answered by the proxy"
	stallDial     kind = "a connection that is not served"
	refuseDial    kind = "a connection that is refused"
)

// Pass forwards requests as if there were no rule, and counts them.
func Pass() Fault { return Fault{kind: pass} }

// Stall holds requests before they reach the API server, until the rule is released.
func Stall() Fault { return Fault{kind: stall} }

// BlackHole has the API server handle requests and withholds its answers, until the rule is released.
func BlackHole() Fault { return Fault{kind: blackHole} }

// HalfBody passes answers on with half of the first piece of their bodies, and the rest when the rule
// is released.
func HalfBody() Fault { return Fault{kind: halfBody} }

// Delay holds each request for d before it is forwarded, or until the rule is released.
func Delay(d time.Duration) Fault { return Fault{kind: delayed, delay: d} }

// Cut breaks requests off before they reach the API server. Other requests on their connection go on.
func Cut() Fault { return Fault{kind: cut} }

// CutAnswer has the API server handle requests and breaks them off in place of the answer.
func CutAnswer() Fault { return Fault{kind: cutAnswer} }

// CutConnection closes the connections of requests, before they reach the API server.
func CutConnection() Fault { return Fault{kind: cutConnection} }

// Answer answers requests with a status such as 429 or 503 in the API server's stead. A Retry-After
// header is sent in whole seconds, unless retryAfter is 0.
func Answer(status int, retryAfter time.Duration) Fault {
	return Fault{kind: answer, status: status, retryAfter: retryAfter}
}

// String is the fault in a few words.
func (f Fault) String() string {
	switch f.kind {
	case delayed:
		return fmt.Sprintf("%s by %v", f.kind, f.delay)
	case answer:
		return fmt.Sprintf("%s with %d", f.kind, f.status)
	}
	return string(f.kind)
}

func (f Fault) dials() bool { return f.kind == stallDial || f.kind == refuseDial }
