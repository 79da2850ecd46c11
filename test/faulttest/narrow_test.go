// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"net/http/httptest"
	"testing"
)

func TestAProgramSeesItsOwnNamespaceOnly(t *testing.T) {
	p := &process{namespace: "ns", namespaced: map[string]bool{"configmaps": true, "deployments.apps": true}}
	for from, want := range map[string]string{
		"/api/v1/configmaps?limit=5":                 "/api/v1/namespaces/ns/configmaps?limit=5",
		"/apis/apps/v1/deployments?watch=true":       "/apis/apps/v1/namespaces/ns/deployments?watch=true",
		"/api/v1/namespaces":                         "/api/v1/namespaces?fieldSelector=metadata.name%3Dns",
		"/api/v1/namespaces?fieldSelector=a%3Db":     "/api/v1/namespaces?fieldSelector=a%3Db%2Cmetadata.name%3Dns",
		"/api/v1/namespaces/other/configmaps":        "/api/v1/namespaces/other/configmaps",
		"/api/v1/namespaces/other/configmaps/a":      "/api/v1/namespaces/other/configmaps/a",
		"/api/v1/nodes":                              "/api/v1/nodes",
		"/apis/apps/v1/namespaces/x/deployments/web": "/apis/apps/v1/namespaces/x/deployments/web",
	} {
		req := httptest.NewRequestWithContext(t.Context(), "GET", from, nil)
		if got := p.narrow(req).URL.String(); got != want {
			t.Errorf("%s becomes %s, want %s", from, got, want)
		}
	}
}
