// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/test/internal/target"
)

// Request is a request that has reached the proxy.
type Request struct {
	Target
	UserAgent string
	AuditID   string    // of the API server's audit log
	Began     time.Time // when it arrived
	Ended     time.Time // zero while it is outstanding
	How       string    // how it ended, in words; empty while it is outstanding

	held bool // by a rule
}

// Requests returns what has reached the proxy so far, in that order.
func (p *Proxy) Requests() []Request { return p.RequestsAfter(time.Time{}) }

// RequestsAfter returns the requests that reached the proxy after a time.
func (p *Proxy) RequestsAfter(after time.Time) []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	var later []Request
	for _, r := range p.requests {
		if r.Began.After(after) {
			later = append(later, *r)
		}
	}
	return later
}

// begin takes a request into the record and finds its rule.
func (p *Proxy) begin(req *http.Request) (*Request, *Rule) {
	record := &Request{Target: target.Of(req), UserAgent: req.UserAgent(), AuditID: req.Header.Get(auditHeader), Began: time.Now()}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, record)
	for _, rule := range p.rules {
		if rule.accepts(record.Target, record.UserAgent) {
			return record, rule
		}
	}
	return record, p.otherwise
}

func (p *Proxy) end(record *Request, how string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	record.Ended, record.How = time.Now(), how
	p.notify()
}

// awaitEnd waits until none of the calls is outstanding in the proxy, or limit is over.
func (p *Proxy) awaitEnd(calls []Call, limit time.Duration) {
	ids := map[string]bool{}
	for _, c := range calls {
		ids[c.AuditID] = true
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		p.mu.Lock()
		changed := p.changed
		open := slices.ContainsFunc(p.requests, func(r *Request) bool { return r.Ended.IsZero() && ids[r.AuditID] })
		p.mu.Unlock()
		if !open {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		}
	}
}

// held returns what the rules hold now.
func (p *Proxy) held() (targets []Target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		if r.held {
			targets = append(targets, r.Target)
		}
	}
	return targets
}

// summary counts requests by what they are about and how they ended.
func summary(requests []Request) string {
	counts := map[string]int{}
	var order []string
	for _, r := range requests {
		about := r.Target
		about.Name = ""
		how := r.How
		if how == "" {
			how = "outstanding"
		}
		line := about.String() + ": " + how
		if counts[line] == 0 {
			order = append(order, line)
		}
		counts[line]++
	}
	var b strings.Builder
	for _, line := range order {
		fmt.Fprintf(&b, "  %d × %s\n", counts[line], line)
	}
	return b.String()
}
