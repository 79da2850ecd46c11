// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
	"github.com/lanyard-k8s/lanyard/test/e2e/tracing/collector"
)

// telemetry traces everything.
func (e *env) telemetry() controller.ManagerOptions {
	return controller.ManagerOptions{Telemetry: controller.Telemetry{TracerProvider: e.provider(sdktrace.AlwaysSample())}}
}

func TestForAServiceAccountTheServersSpanLinksToOursAndTheAuditIDJoinsThem(t *testing.T) {
	e := newEnv(t)
	e.flunders(e.account(), e.telemetry())
	e.create("one")
	call := collected.Await(t, 1, applyDeployment, e.call(applyDeployment))[0]
	handled := e.handled(call)
	if handled.Trace() == call.Trace() || handled.Parent() != "" || !handled.LinksTo(call) {
		t.Errorf("the server's span is of trace %s below %q, links %v; ours is %s of %s",
			handled.Trace(), handled.Parent(), handled.Links, call.ID(), call.Trace())
	}
	if handled.Begin().Before(call.Begin()) || handled.End().After(call.End()) {
		t.Errorf("the server's span is not within ours: %v..%v, %v..%v", handled.Begin(), handled.End(), call.Begin(), call.End())
	}
	audited := e.audited(call.Value(semconv.AttrAuditID))
	if audited.User.Username != "system:serviceaccount:lanyard-system:flunder-controller" || audited.Verb != "patch" || audited.ObjectRef.Resource != "deployments" {
		t.Errorf("the audit log has %+v for this id", audited)
	}
	reconcile := collected.Await(t, 1, "its reconcile", func(span *collector.Span) bool { return span.ID() == call.Parent() })[0]
	if reconcile.Name != "reconcile flunder" || reconcile.Parent() != "" || reconcile.Kind != tracev1.Span_SPAN_KIND_CONSUMER || reconcile.Failed() {
		t.Errorf("above the call there is %v", reconcile)
	}
}

type auditRecord struct {
	AuditID string
	Verb    string
	User    struct{ Username string }

	ObjectRef struct{ Resource string }
}

// audited finds a request in the API server's audit log.
func (e *env) audited(id string) (record auditRecord) {
	e.Helper()
	e.eventually("the audit log has "+id, func() error {
		file, err := os.Open(auditLog)
		if err != nil {
			return err
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if strings.Contains(lines.Text(), id) {
				return json.Unmarshal(lines.Bytes(), &record)
			}
		}
		return fmt.Errorf("it has not (%w)", cmp.Or(lines.Err(), io.EOF))
	})
	return record
}

func TestForAMemberOfSystemMonitoringOneTraceGoesFromTheReconcileToEtcd(t *testing.T) {
	e := newEnv(t)
	e.flunders(e.monitor(), e.telemetry())
	e.create("one")
	for _, name := range []string{applyDeployment, applyStatus} {
		call := collected.Await(t, 1, name, e.call(name))[0]
		handled := e.handled(call)
		if handled.Parent() != call.ID() || handled.Trace() != call.Trace() {
			t.Errorf("the server's span is of trace %s below %q; ours is %s of %s", handled.Trace(), handled.Parent(), call.ID(), call.Trace())
		}
		stored := collected.Await(t, 1, "etcd's of "+name, func(span *collector.Span) bool {
			return span.Service == "etcd" && span.Name == "etcdserverpb.KV/Txn" && span.Trace() == call.Trace() && slices.Contains(above(span), handled.ID())
		})[0]
		if path := above(stored); !slices.Contains(path, call.ID()) || path[len(path)-1] != call.Parent() {
			t.Errorf("above etcd's span there are %v; the call is %s, its reconcile %s", path, call.ID(), call.Parent())
		}
	}
}

// above are the ids of the spans above one, up to the root, as far as they have arrived.
func above(span *collector.Span) (ids []string) {
	for span != nil && span.Parent() != "" {
		ids = append(ids, span.Parent())
		span = collected.Get(span.Parent())
	}
	return ids
}
