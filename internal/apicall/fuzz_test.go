// SPDX-License-Identifier: Apache-2.0

package apicall_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// FuzzParse: any request is a call that has a verb, and either a resource or a path.
func FuzzParse(f *testing.F) {
	f.Add("GET", "/api/v1/namespaces/a/pods/b/log", "follow=true", "")
	f.Add("PATCH", "/apis/apps/v1/namespaces/a/deployments/b/status", "force=true", "application/apply-patch+yaml")
	f.Add("GET", "/api/v1/watch/namespaces/a/pods", "watch=1&&", "")
	f.Add("POST", "//apis///v1/", "", "")
	f.Fuzz(func(t *testing.T, method, path, query, contentType string) {
		if method == "" {
			return
		}
		req := &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Content-Type": {contentType}}}
		for _, prefix := range []string{"", "/api", path} {
			call := apicall.ParseBelow(req, prefix)
			if prefix == "" {
				call = apicall.Parse(req)
			}
			switch {
			case call.Verb == "":
				t.Errorf("%s %q has no verb", method, path)
			case call.Resource != "" && call.Path != "":
				t.Errorf("%s %q is both %+v", method, path, call)
			case strings.Contains(call.Namespace+call.Name, "/"):
				t.Errorf("%s %q has a name with a slash: %+v", method, path, call)
			}
			apicall.ReadOnly(&call)
			apicall.LongRunning(&call)
			_ = call.String()
		}
	})
}
