// SPDX-License-Identifier: Apache-2.0

package clientspans

import (
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

func TestAPathBecomesATemplate(t *testing.T) {
	for _, c := range []struct{ method, target, template, verb, resource, namespace, name string }{
		{"GET", "/api/v1/pods", "/api/v1/pods", "list", "pods", "", ""},
		{"GET", "/api/v1/nodes/n1", "/api/v1/nodes/{name}", "get", "nodes", "", "n1"},
		{"PATCH", "/api/v1/nodes/n1/status", "/api/v1/nodes/{name}/status", "patch", "nodes/status", "", "n1"},
		{"GET", "/api/v1/namespaces", "/api/v1/namespaces", "list", "namespaces", "", ""},
		{"GET", "/api/v1/namespaces/a", "/api/v1/namespaces/{name}", "get", "namespaces", "", "a"},
		{"PUT", "/api/v1/namespaces/a/finalize", "/api/v1/namespaces/{name}/finalize", "update", "namespaces/finalize", "", "a"},
		{"POST", "/apis/apps/v1/namespaces/a/deployments", "/apis/apps/v1/namespaces/{namespace}/deployments", "create", "deployments.apps", "a", ""},
		{"PUT", "/apis/apps/v1/namespaces/a/deployments/b/scale", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale", "update", "deployments.apps/scale", "a", "b"},
		{"DELETE", "/apis/x.example.com/v1/namespaces/a/xs", "/apis/x.example.com/v1/namespaces/{namespace}/xs", "deletecollection", "xs.x.example.com", "a", ""},
		{"DELETE", "/apis/x.example.com/v1/namespaces/a/xs/b", "/apis/x.example.com/v1/namespaces/{namespace}/xs/{name}", "delete", "xs.x.example.com", "a", "b"},
		{"GET", "/api/v1/namespaces/a/pods/b/proxy/api/v1/x", "/api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}", "get", "pods/proxy", "a", "b"},
		{"GET", "/k8s/clusters/c-1/api/v1/pods/", "/{prefix}/api/v1/pods", "list", "pods", "", ""},
		{"GET", "/api", "/api", "get", "", "", ""},
		{"GET", "/api/v1", "/api/{version}", "get", "", "", ""},
		{"GET", "/apis/apps", "/apis/{group}", "get", "", "", ""},
		{"GET", "/apis/apps/v1", "/apis/{group}/{version}", "get", "", "", ""},
		{"GET", "/openapi/v3/apis/apps/v1", "/openapi/{path}", "get", "", "", ""},
		{"GET", "/readyz/etcd", "/readyz/{path}", "get", "", "", ""},
		{"GET", "/version", "/version", "get", "", "", ""},
		{"GET", "/", "/", "get", "", "", ""},
		{"GET", "/whatever/1", "/{path}", "get", "", "", ""},
	} {
		req := httptest.NewRequest(c.method, c.target, nil)
		of := apicall.Parse(req)
		got := []string{of.Verb, of.Resource, of.Namespace, of.Name, template(req, &of)}
		want := []string{c.verb, c.resource, c.namespace, c.name, c.template}
		if !slices.Equal(got, want) {
			t.Errorf("%s %s is %+v, want %+v", c.method, c.target, got, want)
		}
	}
}

func TestOnlyWatchesAndLeasesAreSilent(t *testing.T) {
	for target, want := range map[string]bool{
		"/api/v1/pods?watch=true": true, "/api/v1/pods?a=b&watch=1": true, "/api/v1/pods?allowWatchBookmarks=true&watch=false": false,
		"/api/v1/namespaces/watch/pods": false, "/apis/coordination.k8s.io/v1/namespaces/a/leases/b": true, "/apis/apps/v1/namespaces/leases/deployments": false,
	} {
		if silent(httptest.NewRequest("GET", target, nil)) != want {
			t.Errorf("%s: silent is not %v", target, want)
		}
	}
}
