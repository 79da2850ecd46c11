// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// Writes of leases are logged with the lease as it is then, to tell who held it when.
// Watches are logged when they begin.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: RequestResponse
  verbs: [create, update, patch, delete]
  resources: [{group: coordination.k8s.io, resources: [leases]}]
  omitStages: [ResponseStarted]
- level: Metadata
  verbs: [watch]
  omitStages: [ResponseComplete]
- level: None
  nonResourceURLs: ["*"]
- level: Metadata
  omitStages: [ResponseStarted]
`

// audited is a request as the API server has written it down, once it was answered or, of a watch, begun.
type audited struct {
	AuditID   string `json:"auditID"`
	Verb      string `json:"verb"`
	URI       string `json:"requestURI"`
	UserAgent string `json:"userAgent"`
	Object    struct {
		Resource, Subresource, Namespace, Name string
	} `json:"objectRef"`
	Response struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	Lease    json.RawMessage  `json:"responseObject"`
	Received metav1.MicroTime `json:"requestReceivedTimestamp"`
	Answered metav1.MicroTime `json:"stageTimestamp"`
}

func (a *audited) String() string {
	return fmt.Sprintf("%s: %s %s %s/%s, %d, received %s, answered %s", a.UserAgent, a.AuditID, a.Verb, a.Object.Resource, a.Object.Name, a.Response.Code,
		a.Received.Format("15:04:05.000000"), a.Answered.Format("15:04:05.000000"))
}

// audit returns the requests about the namespace, once all that were answered before are there.
func (e *env) audit() (requests []*audited) {
	e.Helper()
	last := fmt.Sprintf("last-%d", environments.Add(1))
	_, err := e.admin.CoreV1().ConfigMaps(e.namespace).Create(e.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: last}}, metav1.CreateOptions{})
	e.must(err)
	eventually(e, "the audit log is written", func() error {
		if requests = e.readAudit(); !slices.ContainsFunc(requests, func(a *audited) bool { return a.Object.Name == last }) {
			return fmt.Errorf("%d requests are there", len(requests))
		}
		return nil
	})
	return requests
}

// readAudit reads on where it has stopped the last time.
func (e *env) readAudit() []*audited {
	e.Helper()
	file, err := os.Open(auditLog)
	e.must(err)
	defer func() { _ = file.Close() }()
	_, err = file.Seek(e.auditRead, io.SeekStart)
	e.must(err)
	about := []byte(`"namespace":"` + e.namespace + `"`)
	lines := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return e.audited // the rest of a line is still to be written
		}
		e.must(err)
		e.auditRead += int64(len(line))
		a := &audited{}
		if bytes.Contains(line, about) && json.Unmarshal(line, a) == nil && a.Object.Namespace == e.namespace {
			e.audited = append(e.audited, a)
		}
	}
}

// watching reports whether a replica watches the lease.
func (e *env) watching(agent string) bool {
	return slices.ContainsFunc(e.readAudit(), func(a *audited) bool {
		return a.UserAgent == agent && a.Verb == "watch" && a.Object.Resource == "leases"
	})
}

// lists reports whether the request asks for everything.
func (a *audited) lists() bool {
	return a.Verb == "list" || strings.Contains(a.URI, "sendInitialEvents=true")
}

// tenure is a time in which a replica held the lease: from when the API server received the request that
// took it until it received the one that ended that, by release or because another replica took it.
type tenure struct {
	agent  string
	term   int
	from   time.Time
	until  time.Time // zero: not yet
	writes int
	taken  bool // by another, without a release
}

// tenures puts the writes of the lease in the order of their resource versions, in which they were stored.
func (e *env) tenures(requests []*audited) (all []*tenure) {
	e.Helper()
	type change struct {
		*audited
		lease   coordinationv1.Lease
		version uint64
	}
	var changes []change
	for _, a := range requests {
		if a.Object.Resource != "leases" || !a.succeededWrite() || !a.byReplica() {
			continue
		}
		c := change{audited: a}
		if err := json.Unmarshal(a.Lease, &c.lease); err != nil {
			e.Fatalf("%v: %v", a, err)
		}
		c.version, _ = strconv.ParseUint(c.lease.ResourceVersion, 10, 64)
		changes = append(changes, c)
	}
	slices.SortFunc(changes, func(a, b change) int { return int(a.version) - int(b.version) })
	var now *tenure
	for _, c := range changes {
		term := int(ptr.Deref(c.lease.Spec.LeaseTransitions, 0))
		released := ptr.Deref(c.lease.Spec.HolderIdentity, "") == ""
		if now != nil && !released && now.agent == c.UserAgent && now.term == term {
			continue // a renewal
		}
		if now != nil {
			now.until, now.taken = c.Received.Time, !released
			now = nil
		}
		if !released {
			now = &tenure{agent: c.UserAgent, term: term, from: c.Received.Time}
			all = append(all, now)
		}
	}
	return all
}

func (a *audited) byReplica() bool { return strings.HasPrefix(a.UserAgent, "replica/") }

func (a *audited) succeededWrite() bool {
	return a.Response.Code < 300 && slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, a.Verb)
}

// term is the one in which a replica made the request, as it has said itself.
func (a *audited) term() int {
	number, _, _ := strings.Cut(a.AuditID, ".")
	term, err := strconv.Atoi(number)
	if err != nil {
		return -1
	}
	return term
}

// assertOneWriter looks into the audit log: each write of a replica that was admitted had been received while
// that replica held the lease, and had been begun in that same term. So none was received after the
// request with which a successor took the lease. It returns the tenures in their order.
func (e *env) assertOneWriter() []*tenure {
	e.Helper()
	requests := e.audit()
	all := e.tenures(requests)
	writes, late, wrong := 0, 0, 0
	for _, a := range requests {
		if a.Object.Resource == "leases" || !a.byReplica() || !a.succeededWrite() {
			continue
		}
		writes++
		i := slices.IndexFunc(all, func(t *tenure) bool {
			return t.agent == a.UserAgent && t.term == a.term() && !a.Received.Time.Before(t.from) && (t.until.IsZero() || a.Received.Time.Before(t.until))
		})
		if i < 0 {
			if wrong++; wrong <= 5 {
				e.Errorf("admitted, although another held the lease: %v; %s", a, e.describe(all, a))
			}
			continue
		}
		all[i].writes++
		if !all[i].until.IsZero() && a.Answered.After(all[i].until) {
			late++ // it was on its way; that is what a take-over cannot undo
		}
	}
	if wrong > 5 {
		e.Errorf("and %d more", wrong-5)
	}
	if writes == 0 {
		e.Error("nobody wrote: the audit log proves nothing")
	}
	taken := 0
	for _, t := range all {
		if t.taken {
			taken++
		}
	}
	e.Logf("%d writes in %d terms, %d of which ended because another took the lease; %d were answered only after that", writes, len(all), taken, late)
	return all
}

// describe says which terms of the writer are known.
func (e *env) describe(all []*tenure, a *audited) string {
	text := fmt.Sprintf("its term %d", a.term())
	for _, t := range all {
		if t.agent == a.UserAgent && t.term == a.term() {
			text += fmt.Sprintf(" was from %s until %s (%v earlier)", t.from.Format("15:04:05.000000"), t.until.Format("15:04:05.000000"), a.Received.Sub(t.until))
		}
	}
	return text
}
