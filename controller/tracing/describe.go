package tracing

import (
	"net/http"
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/apicall"
)

// silent tells, without allocating, whether a request makes no span: a watch, whose span would end minutes
// later, and a lease, which is renewed for ever.
func silent(req *http.Request) bool {
	for query := req.URL.RawQuery; query != ""; {
		var param string
		param, query, _ = strings.Cut(query, "&")
		if param == "watch=true" || param == "watch=1" {
			return true
		}
	}
	return strings.Contains(req.URL.Path, "/apis/coordination.k8s.io/") && strings.Contains(req.URL.Path, "/leases")
}

// template is the path of a call with names in the place of what there is no bounded number of.
func template(req *http.Request, call *apicall.Call) string {
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	at := 0
	for at < len(parts) && parts[at] != "api" && parts[at] != "apis" {
		at++
	}
	if call.Other != "" {
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

// otherTemplate is the template of what is no resource; api or apis is at that place, if it is.
func otherTemplate(parts []string, at int) string {
	if at == 0 {
		return []string{
			"/" + parts[0], "/" + parts[0] + map[string]string{"api": "/{version}", "apis": "/{group}"}[parts[0]],
			"/apis/{group}/{version}",
		}[min(len(parts), 3)-1]
	}
	switch parts[0] {
	case "healthz", "livez", "readyz", "version", "metrics", "openapi", "logs", "debug", "configz", ".well-known":
		if len(parts) > 1 {
			return "/" + parts[0] + "/{path}"
		}
		return "/" + parts[0]
	case "":
		return "/"
	}
	return "/{path}"
}

// method is the request's method out of a bounded set, as the conventions have it.
func method(req *http.Request) string {
	switch req.Method {
	case "":
		return http.MethodGet
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return req.Method
	}
	return "_OTHER"
}
