package tracing

import (
	"net/http"
	"slices"
	"strings"
)

// call is what a request is about.
type call struct {
	verb, resource, namespace, name string // verb is in lower case; the others are empty for what is no resource
	template                        string // of the path, of which there is a bounded number
}

// readOnly tells whether the call cannot change anything.
func (c *call) readOnly() bool { return c.verb == "get" || c.verb == "list" }

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

// describe reads the path as the API server does.
func describe(req *http.Request) call {
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	at := slices.IndexFunc(parts, func(part string) bool { return part == "api" || part == "apis" })
	if at < 0 {
		return call{verb: strings.ToLower(req.Method), template: unknownPath(parts)}
	}
	var prefix string
	if at > 0 {
		prefix = "/{prefix}" // of a proxy before the API server
	}
	root, all, parts := parts[at], parts, parts[at+1:]
	group, versioned := "", 1
	if root == "apis" {
		versioned = 2
		if len(parts) > 1 {
			group = parts[0]
		}
	}
	if len(parts) <= versioned {
		if at > 0 {
			return call{verb: strings.ToLower(req.Method), template: unknownPath(all)} // such as /openapi/v3/apis/apps/v1
		}
		discovery := []string{"", "/{version}"}
		if root == "apis" {
			discovery = []string{"", "/{group}", "/{group}/{version}"}
		}
		return call{verb: strings.ToLower(req.Method), template: "/" + root + discovery[len(parts)]}
	}
	template := prefix + "/" + root + "/" + strings.Join(parts[:versioned], "/")
	return describeResource(req, template, group, parts[versioned:])
}

func describeResource(req *http.Request, template, group string, parts []string) call {
	var c call
	if parts[0] == "namespaces" && len(parts) > 2 && (len(parts) > 3 || parts[2] != "status" && parts[2] != "finalize") {
		c.namespace = parts[1]
		parts = parts[2:]
		template += "/namespaces/{namespace}"
	}
	c.resource = parts[0]
	template += "/" + parts[0]
	if group != "" {
		c.resource += "." + group
	}
	if len(parts) > 1 {
		c.name = parts[1]
		template += "/{name}"
	}
	if len(parts) > 2 {
		c.resource += "/" + parts[2]
		template += "/" + parts[2]
	}
	if len(parts) > 3 {
		template += "/{path}" // below a proxy
	}
	c.template = template
	c.verb = verb(req, c.name != "")
	return c
}

// unknownPath is the template of what is no resource.
func unknownPath(parts []string) string {
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

func verb(req *http.Request, named bool) string {
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		if named {
			return "get"
		}
		return "list"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		if strings.HasPrefix(req.Header.Get("Content-Type"), "application/apply-patch+") {
			return "apply"
		}
		return "patch"
	case http.MethodDelete:
		if named {
			return "delete"
		}
		return "deletecollection"
	}
	return strings.ToLower(req.Method)
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
