// SPDX-License-Identifier: Apache-2.0

// Package tracing_test shows on a real API server and etcd, which send their spans to a collector in the test's
// process, that what a controller does can be followed, and what that does not cost (docs/tracing.md).
package tracing_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/e2e/tracing/collector"
)

var (
	// plane is the control plane of this package's tests. It sends a span of every request to collected.
	plane     *controlplane.ControlPlane
	collected *collector.Collector
	auditLog  string
	root      string // of the repository
	binary    string // of the sample controller
)

// What redraws the pictures in docs/; see docs/tracing.md and docs/metrics.md.
var (
	picture = flag.String("picture", "", "draw a Flunder from its creation to ready, on a control plane with a node, into this SVG file")
	record  = flag.String("record", "", "write what is scraped in a run of the sample controller into this file, for test/dashboard to draw")
)

const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`

// monitor is a user whose traceparent the API server follows, with the controller's permissions.
const (
	monitor      = "monitor"
	monitorToken = "of-the-monitor"
)

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Prepare: prepare, Started: func(p *controlplane.ControlPlane) { plane = p }, Stopped: func() { collected.Stop() }}))
}

func prepare(ctx context.Context, repository, dir string) (controlplane.Options, error) {
	root, auditLog = repository, filepath.Join(dir, "audit.log")
	// What is sent every five seconds by default is waited for here.
	if err := os.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100"); err != nil {
		return controlplane.Options{}, err
	}
	var err error
	if collected, err = collector.Start(ctx); err != nil {
		return controlplane.Options{}, err
	}
	files := map[string]string{
		"policy.yaml": auditPolicy,
		"tokens.csv":  fmt.Sprintf("%s,%s,1,%q\n", monitorToken, monitor, "system:monitoring"),
		"tracing.yaml": "apiVersion: apiserver.config.k8s.io/v1\nkind: TracingConfiguration\n" +
			"endpoint: " + collected.GRPC + "\nsamplingRatePerMillion: 1000000\n",
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return controlplane.Options{}, err
		}
	}
	o := controlplane.Options{
		APIServerArgs: map[string][]string{
			"audit-policy-file": {filepath.Join(dir, "policy.yaml")}, "audit-log-path": {auditLog}, "audit-log-maxsize": {"10000"},
			"token-auth-file": {filepath.Join(dir, "tokens.csv")}, "tracing-config-file": {filepath.Join(dir, "tracing.yaml")},
		},
		// What has no sampled parent is none of these tests' business.
		EtcdArgs: map[string][]string{"enable-distributed-tracing": {"true"}, "distributed-tracing-address": {collected.GRPC}},
	}
	if *picture != "" || *record != "" {
		o.Nodes = 1
	}
	binary = filepath.Join(dir, "flunder-controller")
	return o, build(ctx)
}

// env is a namespace for one test, and a provider whose spans go to the collector.
type env struct {
	*testing.T
	namespace string
	service   string
	kube      kubernetes.Interface
	wardle    versioned.Interface
}

func newEnv(t *testing.T) *env {
	t.Helper()
	admin := unlimited(plane.Config())
	e := &env{T: t, kube: kubernetes.NewForConfigOrDie(admin), wardle: versioned.NewForConfigOrDie(admin)}
	ns, err := e.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	e.must(err)
	e.namespace = ns.Name
	e.service = ns.Name
	return e
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func unlimited(config *rest.Config) *rest.Config {
	config.QPS = -1
	return config
}

// provider sends spans to the collector as e.service.
func (e *env) provider(sampler sdktrace.Sampler) *sdktrace.TracerProvider {
	e.Helper()
	exporter, err := otlptracehttp.New(e.Context(), otlptracehttp.WithEndpointURL(collected.HTTP+"/v1/traces"))
	e.must(err)
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithSampler(sampler),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", e.service))))
	e.Cleanup(func() {
		if err := provider.Shutdown(context.WithoutCancel(e.Context())); err != nil {
			e.Errorf("the exporter ended with %v", err)
		}
	})
	return provider
}

// account is the controller's service account, with the permissions of config/rbac.
func (e *env) account() *rest.Config {
	e.Helper()
	config, err := plane.ServiceAccountConfig(e.Context(), "lanyard-system", "flunder-controller")
	e.must(err)
	return unlimited(config)
}

// monitor is a member of system:monitoring who may do what the controller may.
func (e *env) monitor() *rest.Config {
	e.Helper()
	_, err := e.kube.RbacV1().ClusterRoleBindings().Create(e.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: e.namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "flunder-controller"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: monitor}},
	}, metav1.CreateOptions{})
	e.must(err)
	config := unlimited(rest.AnonymousClientConfig(plane.Config()))
	config.BearerToken = monitorToken
	e.eventually("the user has permissions", func() error {
		_, err := versioned.NewForConfigOrDie(config).WardleV1beta1().Flunders(e.namespace).List(e.Context(), metav1.ListOptions{})
		return err
	})
	return config
}

// running is a manager at work.
type running struct {
	*controller.Manager
	Flunders *controller.Controller[*v1beta1.Flunder]
	end      context.CancelCauseFunc
	done     chan struct{}
	err      error
}

// flunders runs the Flunder controller until the test ends.
func (e *env) flunders(config *rest.Config, options controller.ManagerOptions) *running {
	e.Helper()
	var flunders *controller.Controller[*v1beta1.Flunder]
	r := e.run(quiet(e.Context()), config, options, func(m *controller.Manager) (err error) {
		flunders, err = flunder.Setup(m, flunder.Options{Namespace: e.namespace, Workers: 4})
		return err
	})
	r.Flunders = flunders
	return r
}

func (e *env) run(ctx context.Context, config *rest.Config, options controller.ManagerOptions, setup func(*controller.Manager) error) *running {
	e.Helper()
	r := &running{Manager: controller.NewManager(config, options), done: make(chan struct{})}
	e.must(setup(r.Manager))
	ctx, r.end = context.WithCancelCause(ctx)
	go func() {
		defer close(r.done)
		r.err = r.Run(ctx)
	}()
	e.Cleanup(func() {
		if err := r.stop(); err != nil && !e.Failed() {
			e.Logf("the manager ended with %v", err)
		}
	})
	return r
}

func (r *running) stop() error {
	r.end(nil)
	<-r.done
	return r.err
}

func (e *env) create(name string) *v1beta1.Flunder {
	e.Helper()
	f, err := e.wardle.WardleV1beta1().Flunders(e.namespace).Create(e.Context(), &v1beta1.Flunder{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1beta1.FlunderSpec{Image: "registry.example.com/app:v1"},
	}, metav1.CreateOptions{})
	e.must(err)
	return f
}

// awaitReason waits until the Flunder's Ready condition has a reason.
func (e *env) awaitReason(name, reason string) {
	e.Helper()
	e.eventually(name+" is "+reason, func() error {
		f, err := e.wardle.WardleV1beta1().Flunders(e.namespace).Get(e.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if ready := meta.FindStatusCondition(f.Status.Conditions, v1beta1.ConditionReady); ready == nil || ready.Reason != reason {
			return fmt.Errorf("the condition is %+v", ready)
		}
		return nil
	})
}

func (e *env) eventually(what string, holds func() error) {
	e.Helper()
	var last error
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if last = holds(); last == nil {
			return
		}
		if time.Now().After(end) || e.Context().Err() != nil {
			e.Fatalf("not so within two minutes: %s: %v", what, last)
		}
	}
}

// quiet has nothing logged.
func quiet(ctx context.Context) context.Context { return klog.NewContext(ctx, logr.Discard()) }

// mine are the spans that this test's provider has sent.
func (e *env) mine(span *collector.Span) bool { return span.Service == e.service }

// reconciles are those of an object; of all, where name is "".
func (e *env) reconciles(name string) func(*collector.Span) bool {
	return func(span *collector.Span) bool {
		return e.mine(span) && strings.HasPrefix(span.Name, semconv.SpanReconcile+" ") && (name == "" || span.Value(semconv.AttrObjectName) == name)
	}
}

// call are the client spans of a method and template.
func (e *env) call(name string) func(*collector.Span) bool {
	return func(span *collector.Span) bool { return e.mine(span) && span.Name == name }
}

const (
	applyDeployment = "PATCH /apis/apps/v1/namespaces/{namespace}/deployments/{name}"
	applyStatus     = "PATCH /apis/wardle.example.com/v1beta1/namespaces/{namespace}/flunders/{name}/status"
	apiserver       = "apiserver"
)

// handled waits for the API server's span of a call, found by the audit id, which it or one below it has.
func (e *env) handled(call *collector.Span) (server *collector.Span) {
	e.Helper()
	collected.Await(e, 1, "the API server's of "+call.Name, func(span *collector.Span) bool {
		if span.Service != apiserver || span.Value("audit-id") != call.Value(semconv.AttrAuditID) {
			return false
		}
		for span != nil && span.Kind != tracev1.Span_SPAN_KIND_SERVER {
			span = collected.Get(span.Parent())
		}
		server = span
		return span != nil
	})
	return server
}
