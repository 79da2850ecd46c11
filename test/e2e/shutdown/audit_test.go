// SPDX-License-Identifier: Apache-2.0

package shutdown_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: Metadata
omitStages: [ResponseStarted, ResponseComplete, Panic]
`

// auditEvent is the part of an event in the audit log that is needed here.
type auditEvent struct {
	AuditID    string           `json:"auditID"`
	Verb       string           `json:"verb"`
	RequestURI string           `json:"requestURI"`
	Received   metav1.MicroTime `json:"requestReceivedTimestamp"`
	User       struct {
		Username string `json:"username"`
	} `json:"user"`
}

// audited returns what the API server has written down of a user's requests. It writes an event before
// it handles the request.
func audited(t testing.TB, user string) (events []auditEvent) {
	t.Helper()
	content, err := os.ReadFile(auditLog)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), []byte(user+`"`)) {
			continue
		}
		var event auditEvent
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // being written
		}
		if event.User.Username == user {
			events = append(events, event)
		}
	}
	return events
}

// assertAudit looks into the API server's audit log: no request of the user was begun after Run had
// returned. A request that was on its way then reaches the server later, so the audit's id tells when its
// client began it. It returns how many requests there were.
func (e *env) assertAudit(run *shutdowntest.Run) int {
	e.Helper()
	began := map[string]shutdowntest.Call{}
	for _, call := range e.proxy.Calls() {
		began[call.AuditID] = call
	}
	events := audited(e, e.user)
	for _, event := range events {
		if event.Received.Time.Before(run.Returned()) {
			continue
		}
		call, known := began[event.AuditID]
		if !known || call.Began.After(run.Returned()) {
			e.Errorf("the audit log has %s %s, begun after Run returned (known to a client: %v)", event.Verb, event.RequestURI, known)
		}
	}
	if len(events) == 0 {
		e.Error("the audit log has nothing of the user: it proves nothing")
	}
	return len(events)
}
