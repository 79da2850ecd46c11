// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
	"github.com/lanyard-k8s/lanyard/test/e2e/tracing/collector"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

const (
	leases    = "lanyard-system"
	leaseName = "sample-controller"
)

func (e *env) electing(o controller.ManagerOptions) controller.ManagerOptions {
	o.LeaderElection = &controller.LeaderElection{Namespace: leases, Name: leaseName, Identity: e.namespace, ExitOnLoss: true,
		LeaseDuration: 5 * time.Second, RenewDeadline: 4 * time.Second, RetryPeriod: 500 * time.Millisecond}
	return o
}

var stalledApply = shutdowntest.Match{Verb: "apply", Resource: "deployments.apps"}

func TestC5APatchThatAnEndCutShortSaysWhyAndHasArrivedWhenRunReturns(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(e *env, r *running)
		cause string
	}{
		"shutdown":        {func(_ *env, r *running) { r.end(errors.New("the node is drained")) }, "shutdown"},
		"leadership lost": {func(e *env, _ *running) { e.takeLease() }, "leadership_lost"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			proxy := shutdowntest.NewProxy(t, e.account())
			held := proxy.Add(stalledApply, shutdowntest.Stall())
			r := e.flunders(unlimited(proxy.Config()), e.electing(e.telemetry()))
			e.create("one")
			held.Await(1)
			c.end(e, r)
			<-r.done
			returned := time.Now()
			held.Release()
			for what, which := range map[string]func(*collector.Span) bool{"call": e.call(applyDeployment), "reconcile": e.reconciles("one")} {
				spans := collected.Spans(which)
				if len(spans) != 1 || spans[0].Arrived.After(returned) {
					t.Fatalf("when Run returned %d spans had arrived of the %s", len(spans), what)
				}
				if span := spans[0]; span.Value(semconv.AttrCancelCause) != c.cause || span.Failed() || span.Value(semconv.AttrErrorType) != "" {
					t.Errorf("the %s has cause %q, status %v, error.type %q", what, span.Value(semconv.AttrCancelCause), span.Status, span.Value(semconv.AttrErrorType))
				}
			}
			if result := collected.Spans(e.reconciles("one"))[0].Value(semconv.AttrResult); result != string(reconcile.Cancelled) {
				t.Errorf("the result is %q", result)
			}
			e.freeLease()
		})
	}
}

// freeLease has the lease not be waited for by the next test.
func (e *env) freeLease() {
	e.Helper()
	e.eventually("the lease is free", func() error {
		lease, err := e.kube.CoordinationV1().Leases(leases).Get(e.Context(), leaseName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		lease.Spec.HolderIdentity = ptr.To("")
		_, err = e.kube.CoordinationV1().Leases(leases).Update(e.Context(), lease, metav1.UpdateOptions{})
		return err
	})
}

func TestTwo429sAreTwoThrottlesAndAResendCountAndTheChildrenCoverTheReconcile(t *testing.T) {
	e := newEnv(t)
	proxy := shutdowntest.NewProxy(t, e.account())
	match := stalledApply
	match.First = 2
	proxy.Add(match, shutdowntest.Answer(429, time.Second))
	e.flunders(unlimited(proxy.Config()), e.telemetry())
	e.create("one")
	calls := collected.Await(t, 3, "three attempts", e.call(applyDeployment))
	for i, want := range []struct{ code, resend, kind string }{{"429", "", "TooManyRequests"}, {"429", "1", "TooManyRequests"}, {"201", "2", ""}} {
		call := calls[i]
		if call.Value(semconv.AttrStatusCode) != want.code || call.Value(semconv.AttrResendCount) != want.resend || call.Value(semconv.AttrErrorType) != want.kind || call.Failed() != (want.kind != "") {
			t.Errorf("attempt %d: code %s, resend count %q, error.type %q, %v", i, call.Value(semconv.AttrStatusCode), call.Value(semconv.AttrResendCount),
				call.Value(semconv.AttrErrorType), call.Status)
		}
	}
	reconcile := collected.Await(t, 1, "the reconcile", func(span *collector.Span) bool { return span.ID() == calls[0].Parent() })[0]
	children := collected.Spans(func(span *collector.Span) bool { return span.Parent() == reconcile.ID() })
	throttles := 0
	for _, child := range children {
		if child.Name == semconv.SpanThrottle && child.Value(semconv.AttrThrottleReason) == string(report.ThrottleRetryAfter) && child.Took() >= 900*time.Millisecond {
			throttles++
		}
	}
	part := float64(covered(children)) / float64(reconcile.Took())
	if throttles != 2 || part < .95 {
		t.Errorf("of %v the children cover %.1f %%, with %d throttle spans", reconcile.Took(), 100*part, throttles)
	}
	t.Logf("of %v the children cover %.2f %%", reconcile.Took(), 100*part)
}

// covered is for how long at least one of the spans lasted.
func covered(spans []*collector.Span) (sum time.Duration) {
	var until time.Time
	slices.SortFunc(spans, func(a, b *collector.Span) int { return a.Begin().Compare(b.Begin()) })
	for _, span := range spans {
		from := span.Begin()
		if from.Before(until) {
			from = until
		}
		if span.End().After(from) {
			sum += span.End().Sub(from)
			until = span.End()
		}
	}
	return sum
}

func TestEachLineOfAnItemCarriesItsObjectAttemptTraceAndTermAlsoThoseOfClientGo(t *testing.T) {
	e := newEnv(t)
	proxy := shutdowntest.NewProxy(t, e.account())
	match := stalledApply
	match.First = 1
	proxy.Add(match, shutdowntest.Answer(429, time.Second))
	lines := &output.Buffer{}
	ctx := klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: slog.Level(-10)})))
	r := e.run(ctx, unlimited(proxy.Config()), e.electing(e.telemetry()), func(m *controller.Manager) error {
		_, err := flunder.Setup(m, flunder.Options{Namespace: e.namespace})
		return err
	})
	e.create("one")
	call := collected.Await(t, 2, "two attempts", e.call(applyDeployment))[1]
	e.awaitReason("one", v1beta1.ReasonRollingOut)
	term, _ := r.CurrentTerm()
	e.must(r.stop())
	ours, clientGos := 0, 0
	for line := range strings.Lines(lines.String()) {
		var fields map[string]any
		decoder := json.NewDecoder(bytes.NewReader([]byte(line)))
		e.must(decoder.Decode(&fields))
		fromClientGo := fields["msg"] == "Got a Retry-After response" || strings.Contains(line, "/deployments/one")
		if fields["object"] == nil && !fromClientGo {
			continue
		}
		if fromClientGo {
			clientGos++
		}
		if fields["trace"] == call.Trace() && fields["result"] != nil {
			ours++
		}
		if fields["object"] == nil || fields["attempt"] == nil || fields["trace"] == nil || fields["controller"] != "flunder" || fields["term"] != term.String() {
			t.Errorf("something is missing: %s", line)
		}
	}
	if ours != 1 || clientGos == 0 {
		t.Errorf("of the reconcile there are %d lines of ours, want one; of client-go's there are %d", ours, clientGos)
	}
	t.Logf("client-go has written %d lines about the call", clientGos)
}

func TestACollectorThatDoesNotAnswerDelaysNeitherTheReleaseNorTheEndBeyondItsBound(t *testing.T) {
	e := newEnv(t)
	deaf, hangUp := silence(t)
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL("http://"+deaf+"/v1/traces"), otlptracehttp.WithTimeout(time.Minute),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
	e.must(err)
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	const bound = 3 * time.Second
	o := e.electing(controller.ManagerOptions{Telemetry: controller.Telemetry{TracerProvider: provider, FlushTimeout: bound}})
	r := e.flunders(e.account(), o)
	e.create("one")
	e.eventually("it was reconciled", func() error {
		if r.Flunders.Stats().Done == 0 {
			return errors.New("not yet")
		}
		return nil
	})
	end := time.Now()
	r.end(errors.New("the node is drained"))
	e.eventually("the lease is released", func() error {
		lease, err := e.kube.CoordinationV1().Leases(leases).Get(t.Context(), leaseName, metav1.GetOptions{})
		if err == nil && ptr.Deref(lease.Spec.HolderIdentity, "") != "" {
			err = fmt.Errorf("it is held by %s", *lease.Spec.HolderIdentity)
		}
		return err
	})
	released := time.Since(end)
	<-r.done
	returned := time.Since(end)
	if r.err != nil || released > bound-time.Second || returned < bound || returned > bound+5*time.Second {
		t.Errorf("the lease was released after %v, Run returned %v after %v; the flush was bounded to %v", released, r.err, returned, bound)
	}
	t.Logf("the lease was released after %v, Run returned after %v", released, returned)
	hangUp()
	_ = provider.Shutdown(t.Context()) // what it has left is lost
}

// silence accepts connections and says nothing.
func silence(t *testing.T) (address string, hangUp func()) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu     sync.Mutex
		conns  []net.Conn
		served sync.WaitGroup
	)
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
		}
	})
	hangUp = sync.OnceFunc(func() {
		_ = listener.Close() // nothing comes of it
		served.Wait()
		for _, conn := range conns {
			_ = conn.Close() // as above
		}
	})
	t.Cleanup(hangUp)
	return listener.Addr().String(), hangUp
}
