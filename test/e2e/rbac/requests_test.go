// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lanyard-k8s/lanyard/controller/rbac"
)

// requests are all kinds of requests. NS stands for the test's namespace.
var requests = []struct{ method, url, contentType, body string }{
	{"POST", "/api/v1/namespaces/NS/configmaps", "", `{"metadata":{"name":"a"}}`},
	{"GET", "/api/v1/namespaces/NS/configmaps/a", "", ""},
	{"HEAD", "/api/v1/namespaces/NS/configmaps/a", "", ""},
	{"GET", "/api/v1/namespaces/NS/configmaps/b?watch=true", "", ""},
	{"GET", "/api/v1/namespaces/NS/configmaps", "", ""},
	{"GET", "/api/v1/namespaces/NS/configmaps?fieldSelector=metadata.name%3Da", "", ""},
	{"GET", "/api/v1/namespaces/NS/configmaps?watch=true&timeoutSeconds=1", "", ""},
	{"GET", "/api/v1/namespaces/NS/configmaps?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Da", "", ""},
	{"GET", "/api/v1/watch/namespaces/NS/endpoints?timeoutSeconds=1", "", ""},
	{"GET", "/api/v1/secrets?limit=1", "", ""},
	{"PUT", "/api/v1/namespaces/NS/configmaps/a", "", `{"metadata":{"name":"a"}}`},
	{"PATCH", "/api/v1/namespaces/NS/configmaps/a", string(types.MergePatchType), `{"data":{"k":"v"}}`},
	{"PATCH", "/api/v1/namespaces/NS/secrets/a?fieldManager=test", string(types.ApplyPatchType), `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}`},
	{"PATCH", "/api/v1/namespaces/NS/secrets/a?fieldManager=test", string(types.ApplyPatchType), `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}`},
	{"PUT", "/apis/coordination.k8s.io/v1/namespaces/NS/leases/a", "", `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"a","namespace":"NS"}}`},
	{"DELETE", "/api/v1/namespaces/NS/configmaps/a", "", ""},
	{"DELETE", "/api/v1/namespaces/NS/configmaps", "", ""},
	{"DELETE", "/api/v1/namespaces/NS/configmaps?fieldSelector=metadata.name%3Dz", "", ""},
	{"GET", "/api/v1/namespaces", "", ""},
	{"GET", "/api/v1/namespaces/NS", "", ""},
	{"GET", "/api/v1/namespaces/NS/status", "", ""},
	{"PUT", "/api/v1/namespaces/NS/finalize", "", `{"metadata":{"name":"NS"}}`},
	{"GET", "/api/v1/namespaces?fieldSelector=metadata.name%3DNS", "", ""},
	{"GET", "/apis/apps/v1/deployments", "", ""},
	{"GET", "/apis/apps/v1/namespaces/NS/deployments/d/status", "", ""},
	{"PATCH", "/apis/apps/v1/namespaces/NS/deployments/d/scale", string(types.MergePatchType), `{}`},
	{"GET", "/apis/wardle.example.com/v1beta1/namespaces/NS/flunders/f/scale", "", ""},
	{"PUT", "/apis/wardle.example.com/v1beta1/namespaces/NS/flunders/f/status", "", `{"apiVersion":"wardle.example.com/v1beta1","kind":"Flunder","metadata":{"name":"f"}}`},
	{"POST", "/api/v1/namespaces/NS/pods/p/eviction", "", `{"metadata":{"name":"p"}}`},
	{"POST", "/api/v1/namespaces/NS/serviceaccounts/default/token", "", `{}`},
	{"POST", "/api/v1/namespaces/NS/pods/p/exec?command=true&stdout=true", "", ""},
	{"GET", "/api/v1/namespaces/NS/pods/p/exec?command=true&stdout=true", "", ""},
	{"GET", "/api/v1/namespaces/NS/pods/p/portforward", "", ""},
	{"GET", "/api/v1/namespaces/NS/pods/p/log", "", ""},
	{"GET", "/api/v1/namespaces/NS/services/s/proxy/pods/x?watch=true", "", ""},
	{"DELETE", "/api/v1/nodes/n/proxy/logs", "", ""},
	{"GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/view", "", ""},
	{"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "", `{"spec":{"nonResourceAttributes":{"verb":"get","path":"/x"}}}`},
	{"GET", "/apis/apps/v1", "", ""},
	{"GET", "/api", "", ""},
	{"GET", "/version", "", ""},
	{"GET", "/readyz/ping", "", ""},
	{"POST", "/elsewhere/api/v1/pods", "", ""},
	{"GET", "/metrics", "", ""},
}

// TestARequestIsRecordedAsTheAPIServerAuthorizesIt compares with the server's audit log, which has what the
// server has asked its authorizer.
func TestARequestIsRecordedAsTheAPIServerAuthorizesIt(t *testing.T) {
	e := newEnv(t)
	recorder := rbac.NewRecorder()
	config := recorder.Config(plane.Config())
	config.UserAgent = "requests/" + e.namespace
	e.sendAll(config)
	implied := rbac.Used{
		// The server asks for these where the audit log does not tell.
		{Verb: "create", Resource: "secrets", Namespace: e.namespace, Name: "a"},
		{Verb: "create", Group: "coordination.k8s.io", Resource: "leases", Namespace: e.namespace, Name: "a"},
		{Verb: "create", Resource: "pods/portforward", Namespace: e.namespace, Name: "p"},
	}
	e.eventually("the audit log is written", func() error {
		if diff := gocmp.Diff(bare(rbac.Merge(e.audited(config.UserAgent), implied)), bare(recorder.Used())); diff != "" {
			return errorString(diff)
		}
		return nil
	})
}

type errorString string

func (e errorString) Error() string { return string(e) }

// bare returns uses without who did them.
func bare(used rbac.Used) rbac.Used {
	for i, use := range used {
		used[i] = rbac.Use{Verb: use.Verb, Group: use.Group, Resource: use.Resource, Path: use.Path, Namespace: use.Namespace, Name: use.Name}
	}
	return rbac.Merge(used)
}

func (e *env) sendAll(config *rest.Config) {
	e.Helper()
	client, err := rest.HTTPClientFor(config)
	e.must(err)
	for _, r := range requests {
		url := strings.TrimSuffix(config.Host, "/") + strings.ReplaceAll(r.url, "NS", e.namespace)
		body := strings.NewReader(strings.ReplaceAll(r.body, "NS", e.namespace))
		req, err := http.NewRequestWithContext(e.Context(), r.method, url, body)
		e.must(err)
		req.Header.Set("Content-Type", cmp.Or(r.contentType, "application/json"))
		resp, err := client.Do(req)
		if err != nil {
			e.Fatalf("%s %s: %v", r.method, r.url, err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusBadRequest && !strings.Contains(r.url, "/exec") && !strings.Contains(r.url, "/portforward") {
			e.Errorf("%s %s: %s", r.method, r.url, resp.Status)
		}
	}
}

// audited returns what the server has asked its authorizer for an agent.
func (e *env) audited(agent string) rbac.Used {
	e.Helper()
	log, err := os.ReadFile(auditLog)
	e.must(err)
	var used rbac.Used
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			Verb       string
			RequestURI string
			UserAgent  string
			ObjectRef  *struct{ APIGroup, Resource, Subresource, Namespace, Name string }
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.UserAgent != agent {
			continue
		}
		use := rbac.Use{Verb: event.Verb}
		if ref := event.ObjectRef; ref != nil {
			use.Group, use.Namespace, use.Name = ref.APIGroup, ref.Namespace, ref.Name
			use.Resource = strings.Trim(ref.Resource+"/"+ref.Subresource, "/")
			if event.Verb == "create" && ref.Subresource == "" {
				use.Name = "" // the log has it from the body, which the authorizer does not see
			}
		} else {
			use.Path, _, _ = strings.Cut(event.RequestURI, "?")
		}
		used = append(used, use)
	}
	return slices.Clip(used)
}
