// SPDX-License-Identifier: Apache-2.0

// Package apicall parses HTTP requests to an API server into calls, by the API server's own rules.
// (The server's parser is in k8s.io/apiserver, which is too heavy for every user's go.mod.)
package apicall

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/report"
)

// ReadOnly reports whether a call cannot change anything.
func ReadOnly(c *report.Call) bool {
	return (c.Verb == "get" || c.Verb == "list" || c.Verb == "watch") && !Connects(c)
}

// Connects reports whether a call reaches through the API server to a pod, a service or a node.
// There it may change anything, whatever its HTTP method is: exec over WebSockets is a GET.
// Admission control knows such a call as a CONNECT.
func Connects(c *report.Call) bool {
	_, subresource, _ := strings.Cut(c.Resource, "/")
	return connects(subresource)
}

func connects(subresource string) bool {
	switch subresource {
	case "attach", "exec", "portforward", "proxy":
		return true
	}
	return false
}

// LongRunning reports whether a call lasts as long as its caller wants, by the API server's rules.
func LongRunning(c *report.Call) bool {
	if c.Verb == "watch" {
		return true
	}
	_, subresource, _ := strings.Cut(c.Resource, "/")
	return subresource == "log" || connects(subresource)
}

// Parse returns the call that a request makes. It allocates only for a resource that has a group or
// a subresource.
func Parse(req *http.Request) report.Call {
	var call report.Call
	path := path{rest: strings.Trim(req.URL.Path, "/")}
	group, ok := path.group()
	if !ok {
		call.Verb = strings.ToLower(req.Method)
		call.Path = req.URL.Path
		return call
	}
	first := path.next()
	watches := first == "watch" // an old form of the path: /api/v1/watch/pods
	if watches {
		first = path.next()
	}
	if first == "namespaces" {
		// A namespace's own subresources look like kinds in it.
		inside := path
		namespace := inside.next()
		if kind := inside.next(); kind != "" &&
			(inside.rest != "" || kind != "status" && kind != "finalize") {
			call.Namespace = namespace
			first = kind
			path = inside
		}
	}
	call.Resource = first
	call.Name = path.next()
	subresource := path.next()
	switch { // the rest of the path, below a proxy, is not the API server's
	case group != "" && subresource != "":
		call.Resource += "." + group + "/" + subresource
	case group != "":
		call.Resource += "." + group
	case subresource != "":
		call.Resource += "/" + subresource
	}
	call.Verb = verb(req, call.Name != "")
	if watches {
		call.Verb = "watch"
	}
	return call
}

// ParseBelow is [Parse] for an API server whose address has a path, which is not the API server's own.
func ParseBelow(req *http.Request, prefix string) report.Call {
	path := strings.TrimPrefix(req.URL.Path, prefix)
	if first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); first != "api" && first != "apis" {
		return report.Call{Verb: strings.ToLower(req.Method), Path: path}
	}
	return Parse(withPath(req, path))
}

// Prefix returns the path of an API server's address, which is not empty behind some proxies.
func Prefix(host string) string {
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	u, err := url.Parse(host)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}

// withPath returns a request for another path.
func withPath(req *http.Request, path string) *http.Request {
	if path == req.URL.Path {
		return req
	}
	changed := req.WithContext(req.Context())
	changed.URL = new(url.URL)
	*changed.URL = *req.URL
	changed.URL.Path = path
	return changed
}

// path is the part of a URL's path that has not been parsed yet.
type path struct{ rest string }

func (p *path) next() string {
	var part string
	part, p.rest, _ = strings.Cut(p.rest, "/")
	return part
}

// group parses /api/{version} or /apis/{group}/{version}, with any prefix of a proxy before it. ok
// is false if no resource follows.
func (p *path) group() (group string, ok bool) {
	for p.rest != "" {
		switch p.next() {
		case "api":
			p.next()
			return "", p.rest != ""
		case "apis":
			group = p.next()
			p.next()
			return group, p.rest != ""
		}
	}
	return "", false
}

func verb(req *http.Request, named bool) string {
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		switch {
		case named: // a watch parameter means nothing then, or is for what is behind a proxy
			return "get"
		case StartsWatch(req):
			return "watch"
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

// parameter reports whether the query has a parameter with this value. It does not decode the
// others, which may be long.
func parameter(req *http.Request, want string) bool {
	for query := req.URL.RawQuery; query != ""; {
		var param string
		if param, query, _ = strings.Cut(query, "&"); param == want {
			return true
		}
	}
	return false
}

// StartsWatch reports whether a request's query asks for a watch. It does not allocate.
func StartsWatch(req *http.Request) bool {
	return parameter(req, "watch=true") || parameter(req, "watch=1")
}

// Resource returns the resource of a call without its subresource, such as "deployments.apps".
func Resource(c *report.Call) string {
	resource, _, _ := strings.Cut(c.Resource, "/")
	return resource
}
