// SPDX-License-Identifier: Apache-2.0

package clientspans

import (
	"net/http"
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// silent reports whether a request has no span: a watch, whose span would end minutes later, or a
// Lease, which is renewed for ever. It does not allocate.
func silent(req *http.Request) bool {
	return apicall.StartsWatch(req) ||
		strings.Contains(req.URL.Path, "/apis/coordination.k8s.io/") &&
			strings.Contains(req.URL.Path, "/leases")
}

// template returns the path of a call with placeholders for names, so that the number of different
// paths is bounded.
func template(req *http.Request, call *report.Call) string {
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	at := 0
	for at < len(parts) && parts[at] != "api" && parts[at] != "apis" {
		at++
	}
	if call.Path != "" {
		return otherTemplate(parts, at)
	}
	var b strings.Builder
	if at > 0 {
		b.WriteString("/{prefix}") // of a proxy before the API server
	}
	versioned := 2 // api and version
	if parts[at] == "apis" {
		versioned = 3
	}
	for _, part := range parts[at : at+versioned] {
		b.WriteString("/" + part)
	}
	parts = parts[at+versioned:]
	if call.Namespace != "" {
		b.WriteString("/namespaces/{namespace}")
		parts = parts[2:]
	}
	resource, subresource, _ := strings.Cut(call.Resource, "/")
	resource, _, _ = strings.Cut(resource, ".")
	b.WriteString("/" + resource)
	if call.Name != "" {
		b.WriteString("/{name}")
	}
	if subresource != "" {
		b.WriteString("/" + subresource)
	}
	if len(parts) > 3 {
		b.WriteString("/{path}") // below a proxy
	}
	return b.String()
}

// otherTemplate returns the template of a path that is not a resource. at is the index of api or
// apis.
func otherTemplate(parts []string, at int) string {
	if at == 0 {
		return []string{
			"/" + parts[0], "/" + parts[0] + map[string]string{"api": "/{version}", "apis": "/{group}"}[parts[0]],
			"/apis/{group}/{version}",
		}[min(len(parts), 3)-1]
	}
	switch parts[0] {
	case "healthz",
		"livez",
		"readyz",
		"version",
		"metrics",
		"openapi",
		"logs",
		"debug",
		"configz",
		".well-known":
		if len(parts) > 1 {
			return "/" + parts[0] + "/{path}"
		}
		return "/" + parts[0]
	case "":
		return "/"
	}
	return "/{path}"
}

// method returns the request's method from a bounded set, as OpenTelemetry's conventions want it.
func method(req *http.Request) string {
	switch req.Method {
	case "":
		return http.MethodGet
	case http.MethodGet,
		http.MethodHead,
		http.MethodPost,
		http.MethodPut,
		http.MethodPatch,
		http.MethodDelete,
		http.MethodOptions,
		http.MethodConnect,
		http.MethodTrace:
		return req.Method
	}
	return "_OTHER"
}
