// SPDX-License-Identifier: Apache-2.0

package target

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTargetsAreReadAsTheAPIServerDoes(t *testing.T) {
	for _, c := range []struct {
		method, url, contentType string
		want                     string
	}{
		{"GET", "/api/v1/pods", "", "list pods"},
		{"GET", "/api/v1/pods?watch=true", "", "watch pods"},
		{"GET", "/api/v1/namespaces/prod/pods/web", "", "get pods prod/web"},
		{"GET", "/api/v1/namespaces/prod", "", "get namespaces prod"},
		{"PUT", "/api/v1/namespaces/prod/finalize", "", "update namespaces/finalize prod"},
		{"POST", "/apis/apps/v1/namespaces/prod/deployments", "", "create deployments.apps in prod"},
		{"PATCH", "/apis/apps/v1/namespaces/prod/deployments/web/status", "application/merge-patch+json", "patch deployments.apps/status prod/web"},
		{"PATCH", "/apis/apps/v1/namespaces/prod/deployments/web", "application/apply-patch+yaml", "apply deployments.apps prod/web"},
		{"DELETE", "/api/v1/nodes/one", "", "delete nodes one"},
		{"DELETE", "/api/v1/namespaces/prod/pods", "", "deletecollection pods in prod"},
		{"GET", "/prefix/api/v1/nodes", "", "list nodes"},
		{"GET", "/readyz", "", "get /readyz"},
	} {
		req := httptest.NewRequestWithContext(t.Context(), c.method, c.url, http.NoBody)
		req.Header.Set("Content-Type", c.contentType)
		if got := Of(req).String(); got != c.want {
			t.Errorf("%s %s is %q, want %q", c.method, c.url, got, c.want)
		}
	}
}
