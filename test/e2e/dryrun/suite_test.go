// SPDX-License-Identifier: Apache-2.0

// Package dryrun_test has the tests of dry runs, against a real kube-apiserver that writes down each request.
package dryrun_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/plan"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

var (
	// plane is the control plane of this package's tests, with an audit log, which also speaks CBOR.
	plane    *controlplane.ControlPlane
	auditLog string
)

func TestMain(m *testing.M) {
	_ = os.Setenv("KUBE_FEATURE_ClientsAllowCBOR", "true") // before the first client asks
	os.Exit(suite.Main(m, suite.Options{Prepare: prepare, Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Request
`

func prepare(ctx context.Context, root, dir string) (controlplane.Options, error) {
	auditLog = filepath.Join(dir, "audit.log")
	policy := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return controlplane.Options{}, err
	}
	return controlplane.Options{Dir: filepath.Join(dir, "plane"), APIServerArgs: map[string][]string{
		"audit-policy-file": {policy},
		"audit-log-path":    {auditLog},
		"audit-log-maxsize": {"10000"}, // no rotation
		"feature-gates":     {"CBORServingAndStorage=true"},
	}}, build(ctx, root, dir)
}

// env is a namespace for one test.
type env struct {
	*testing.T
	namespace string
	admin     kubernetes.Interface
	agent     string // of the clients of the dry run
	encodings        // of the bodies of its requests
}

// encodings collects the encodings of what passes it.
type encodings struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (e *encodings) around(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		e.see(req)
		return next.RoundTrip(req)
	})
}

func (e *encodings) see(req *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.seen == nil {
		e.seen = map[string]bool{}
	}
	if req.Method != http.MethodPatch { // which is JSON
		e.seen[req.Header.Get("Content-Type")] = true
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

var environments atomic.Int64

func newEnv(t *testing.T) *env {
	t.Helper()
	return &env{
		T: t, namespace: suite.Namespace(t, plane, "dryrun-"), admin: kubernetes.NewForConfigOrDie(plane.Config()),
		agent: fmt.Sprintf("dry/%d", environments.Add(1)),
	}
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// audited is a request as the API server has written it down.
type audited struct {
	Verb      string `json:"verb"`
	URI       string `json:"requestURI"`
	UserAgent string `json:"userAgent"`
	Object    struct {
		Resource, Subresource, Namespace, Name string
	} `json:"objectRef"`
	Request json.RawMessage `json:"requestObject"`
}

// audit returns the requests of the dry run, once all that were answered before are written down.
func (e *env) audit() (requests []audited) {
	e.Helper()
	last := fmt.Sprintf("last-%d", environments.Add(1))
	_, err := e.admin.CoreV1().ConfigMaps(e.namespace).Create(e.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: last}}, metav1.CreateOptions{})
	e.must(err)
	suite.Eventually(e.T, "the audit log is written", func() error {
		content, err := os.ReadFile(auditLog)
		if err != nil {
			return err
		}
		requests = nil
		there := false
		for line := range strings.Lines(string(content)) {
			var a audited
			if !strings.HasSuffix(line, "\n") || json.Unmarshal([]byte(line), &a) != nil {
				continue
			}
			there = there || a.Object.Name == last
			if strings.HasPrefix(a.UserAgent, e.agent) {
				requests = append(requests, a)
			}
		}
		if !there {
			return fmt.Errorf("%d requests are there", len(requests))
		}
		return nil
	})
	return requests
}

// assertDry looks into the audit log: each request of the dry run that is no read was a dry run, by its query
// and, of a deletion, by its options. It returns the verbs and resources of these requests.
func (e *env) assertDry() (writes map[string]int) {
	e.Helper()
	writes = map[string]int{}
	for _, a := range e.audit() {
		if slices.Contains([]string{"get", "list", "watch"}, a.Verb) {
			continue
		}
		writes[a.Verb+" "+strings.TrimSuffix(a.Object.Resource+"/"+a.Object.Subresource, "/")]++
		if !strings.Contains(a.URI, "dryRun=All") || strings.Count(a.URI, "dryRun") != 1 {
			e.Errorf("%s %s was no dry run", a.Verb, a.URI)
		}
		if strings.HasPrefix(a.Verb, "delete") && len(a.Request) > 0 && !strings.Contains(string(a.Request), `"dryRun":["All"]`) {
			e.Errorf("%s %s has the options %s", a.Verb, a.URI, a.Request)
		}
	}
	return writes
}

// versions returns the version of each object in the cluster that only tests write.
func (e *env) versions() map[string]string {
	e.Helper()
	lists, err := discovery.NewDiscoveryClientForConfigOrDie(plane.Config()).ServerPreferredResources()
	e.must(err)
	config := plane.Config()
	config.WarningHandlerWithContext = rest.NoWarnings{} // some are deprecated
	client := metadata.NewForConfigOrDie(config)
	all := map[string]string{}
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		e.must(err)
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || resource.Name == "componentstatuses" {
				continue
			}
			objects, err := client.Resource(version.WithResource(resource.Name)).List(e.Context(), metav1.ListOptions{})
			e.must(err)
			for i := range objects.Items {
				o := &objects.Items[i]
				if o.Namespace == "kube-system" || o.Name == "kubernetes" || resource.Name == "apiservices" || resource.Name == "flowschemas" {
					continue // the API server's own
				}
				all[resource.Name+" "+o.Namespace+"/"+o.Name] = string(o.UID) + " " + o.ResourceVersion
			}
		}
	}
	return all
}

// assertUnchanged runs f and sees that nothing in the cluster has changed.
func (e *env) assertUnchanged(f func()) {
	e.Helper()
	before := e.versions()
	f()
	if diff := cmp.Diff(before, e.versions()); diff != "" {
		e.Errorf("the cluster has changed: %s", diff)
	}
	if len(before) == 0 {
		e.Error("there are no objects")
	}
}

// config is that of the dry run's manager.
func (e *env) config() *rest.Config {
	config := plane.Config()
	config.UserAgent = e.agent
	config.QPS = -1
	config.Wrap(e.around)
	return config
}

// parent makes the ConfigMap that the controller of a dry run reconciles.
func (e *env) parent(name string) {
	e.Helper()
	_, err := e.admin.CoreV1().ConfigMaps(e.namespace).Create(e.Context(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"parent": "true"}}}, metav1.CreateOptions{})
	e.must(err)
}

type reconcileFunc = func(ctx context.Context, kube kubernetes.Interface, m *controller.Manager, parent *corev1.ConfigMap) error

// manager makes a dry manager with a controller of the parents. content is the encoding of its client.
func (e *env) manager(config *rest.Config, options controller.ManagerOptions, content string, reconcile reconcileFunc) *controller.Manager {
	e.Helper()
	if options.DryRun == nil {
		options.DryRun = &controller.DryRun{}
	}
	m := controller.NewManager(config, options)
	client := m.Config()
	client.ContentType = content
	client.AcceptContentTypes = content
	kube := kubernetes.NewForConfigOrDie(client)
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(kubernetes.NewForConfigOrDie(m.Config()), 0,
		informers.WithNamespace(e.namespace), informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = "parent" })))
	controller.New(m, "parent", factory.Core().V1().ConfigMaps().TypedInformer(),
		func(ctx context.Context, parent *corev1.ConfigMap) (controller.Result, error) {
			return controller.Result{}, reconcile(ctx, kube, m, parent)
		}, controller.Options{})
	return m
}

// plan runs a dry run with a controller of the parents, and sees that it was one.
func (e *env) plan(options controller.ManagerOptions, content string, reconcile reconcileFunc) (made *plan.Plan) {
	e.Helper()
	e.assertUnchanged(func() {
		var err error
		made, err = e.manager(e.config(), options, content, reconcile).Plan(e.Context())
		e.must(err)
	})
	e.assertDry()
	return made
}

// text returns a plan with NS in place of the namespace.
func (e *env) text(p *plan.Plan) string { return strings.ReplaceAll(p.String(), e.namespace, "NS") }

// wantText compares a plan with what it should be.
func (e *env) wantText(p *plan.Plan, want string) {
	e.Helper()
	if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(e.text(p))); diff != "" {
		e.Errorf("the plan differs: %s", diff)
	}
}

// wantWrites compares what was written, in the audit log, with what should be.
func (e *env) wantWrites(want ...string) {
	e.Helper()
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(e.assertDry()))); diff != "" {
		e.Errorf("the writes differ: %s", diff)
	}
}
