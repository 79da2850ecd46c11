// SPDX-License-Identifier: Apache-2.0

package apicall_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

func TestARequestIsDescribedAsTheAPIServerSeesIt(t *testing.T) {
	for _, test := range []struct {
		method, url, contentType string
		want                     report.Call
	}{
		{"GET", "/api/v1/namespaces/n/pods/p", "", report.Call{Verb: "get", Resource: "pods", Namespace: "n", Name: "p"}},
		{"GET", "/api/v1/namespaces/n/pods", "", report.Call{Verb: "list", Resource: "pods", Namespace: "n"}},
		{"GET", "/api/v1/pods?watch=true", "", report.Call{Verb: "watch", Resource: "pods"}},
		{"GET", "/apis/apps/v1/deployments?watch=1&fieldSelector=metadata.name%3Dx", "", report.Call{Verb: "watch", Resource: "deployments.apps"}},
		{"GET", "/api/v1/namespaces/n", "", report.Call{Verb: "get", Resource: "namespaces", Name: "n"}},
		{"GET", "/api/v1/namespaces", "", report.Call{Verb: "list", Resource: "namespaces"}},
		{"PUT", "/api/v1/namespaces/n/finalize", "", report.Call{Verb: "update", Resource: "namespaces/finalize", Name: "n"}},
		{"GET", "/api/v1/namespaces/n/status", "", report.Call{Verb: "get", Resource: "namespaces/status", Name: "n"}},
		{"POST", "/apis/apps/v1/namespaces/n/deployments", "", report.Call{Verb: "create", Resource: "deployments.apps", Namespace: "n"}},
		{"POST", "/api/v1/namespaces/n/pods/p/eviction", "", report.Call{Verb: "create", Resource: "pods/eviction", Namespace: "n", Name: "p"}},
		{"PUT", "/apis/wardle.example.com/v1beta1/namespaces/n/flunders/f/status", "", report.Call{Verb: "update", Resource: "flunders.wardle.example.com/status", Namespace: "n", Name: "f"}},
		{"PATCH", "/apis/apps/v1/namespaces/n/deployments/d", "application/merge-patch+json", report.Call{Verb: "patch", Resource: "deployments.apps", Namespace: "n", Name: "d"}},
		{"PATCH", "/apis/apps/v1/namespaces/n/deployments/d", "application/apply-patch+yaml", report.Call{Verb: "apply", Resource: "deployments.apps", Namespace: "n", Name: "d"}},
		{"DELETE", "/apis/apps/v1/namespaces/n/deployments/d", "", report.Call{Verb: "delete", Resource: "deployments.apps", Namespace: "n", Name: "d"}},
		{"DELETE", "/apis/apps/v1/namespaces/n/deployments", "", report.Call{Verb: "deletecollection", Resource: "deployments.apps", Namespace: "n"}},
		{"GET", "/proxied/prefix/apis/apps/v1/namespaces/n/deployments/d", "", report.Call{Verb: "get", Resource: "deployments.apps", Namespace: "n", Name: "d"}},
		{"GET", "/api/v1/namespaces/n/services/s/proxy/x?watch=true", "", report.Call{Verb: "get", Resource: "services/proxy", Namespace: "n", Name: "s"}},
		{"GET", "/api/v1/namespaces/n/pods/p?watch=true", "", report.Call{Verb: "get", Resource: "pods", Namespace: "n", Name: "p"}},
		{"GET", "/apis/apps/v1/watch/namespaces/n/deployments", "", report.Call{Verb: "watch", Resource: "deployments.apps", Namespace: "n"}},
		{"GET", "/readyz", "", report.Call{Verb: "get", Path: "/readyz"}},
		{"GET", "/apis/apps/v1", "", report.Call{Verb: "get", Path: "/apis/apps/v1"}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, "https://server.invalid"+test.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", test.contentType)
		if diff := cmp.Diff(test.want, apicall.Parse(req)); diff != "" {
			t.Errorf("%s %s: %s", test.method, test.url, diff)
		}
	}
}

func TestWhatReachesThroughTheAPIServerIsNotReadOnly(t *testing.T) {
	const pod = "/api/v1/namespaces/n/pods/p"
	for call, want := range map[string]struct{ readOnly, long bool }{
		pod:                       {true, false},
		"/api/v1/pods":            {true, false},
		pod + "?watch=true":       {true, false},
		"/api/v1/pods?watch=true": {true, true},
		pod + "/log":              {true, true},
		pod + "/status":           {true, false},
		pod + "/exec":             {false, true},
		pod + "/attach":           {false, true},
		pod + "/portforward":      {false, true},
		pod + "/proxy":            {false, true},
		"/api/v1/namespaces/n/services/s/proxy/pods/x?watch=1": {false, true},
		"/api/v1/nodes/n/proxy/logs":                           {false, true},
		"/readyz":                                              {true, false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://server.invalid"+call, nil)
		if err != nil {
			t.Fatal(err)
		}
		of := apicall.Parse(req)
		readOnly := apicall.ReadOnly(&of)
		long := apicall.LongRunning(&of)
		if readOnly != want.readOnly || long != want.long {
			t.Errorf("%s: read-only %v, long-running %v", call, readOnly, long)
		}
	}
}
