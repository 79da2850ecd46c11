// Package apicall reads out of an HTTP request what it asks of an API server, as the API server itself does.
// (The server's own parser lives in k8s.io/apiserver, too heavy for every user's go.mod.)
package apicall

import (
	"net/http"
	"strings"
)

// Call is what a request is about.
type Call struct {
	Verb      string // get, list, watch, create, update, patch, apply, delete, deletecollection; else the method
	Resource  string // with group and subresource: deployments.apps, flunders.wardle.example.com/status
	Namespace string
	Name      string
	Other     string // method and path, of what is no resource
}

// ReadOnly tells whether the call cannot change anything.
func (c *Call) ReadOnly() bool {
	return (c.Verb == "get" || c.Verb == "list" || c.Verb == "watch") && !c.Connects()
}

// Connects tells whether the call reaches through the API server to a pod, a service or a node, where it may change
// anything, whatever its method: exec over WebSockets is a GET. Admission knows it as a CONNECT.
func (c *Call) Connects() bool {
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

// LongRunning tells whether the call lasts for as long as its caller likes, as the API server sees it.
func (c *Call) LongRunning() bool {
	if c.Verb == "watch" {
		return true
	}
	_, subresource, _ := strings.Cut(c.Resource, "/")
	return subresource == "log" || connects(subresource)
}

// String is the call in a few words.
func (c *Call) String() string {
	words := c.Verb
	switch {
	case c.Other != "":
		return c.Other
	case c.Name != "":
		words += " " + c.Resource + " " + strings.TrimPrefix(c.Namespace+"/"+c.Name, "/")
	case c.Namespace != "":
		words += " " + c.Resource + " in " + c.Namespace
	default:
		words += " " + c.Resource
	}
	return words
}

// Of reads a request. It allocates only for what has to be put together: a resource with a group.
func Of(req *http.Request) Call {
	var call Call
	path := path{rest: strings.Trim(req.URL.Path, "/")}
	group, ok := path.group()
	if !ok {
		call.Verb = strings.ToLower(req.Method)
		call.Other = req.Method + " " + req.URL.Path
		return call
	}
	first := path.next()
	if first == "namespaces" {
		// A namespace's own subresources are told from the kinds in it.
		inside := path
		namespace := inside.next()
		if kind := inside.next(); kind != "" && (inside.rest != "" || kind != "status" && kind != "finalize") {
			call.Namespace, first, path = namespace, kind, inside
		}
	}
	call.Resource = first
	call.Name = path.next()
	subresource := path.next()
	switch { // what is below a proxy is no business of the API's
	case group != "" && subresource != "":
		call.Resource += "." + group + "/" + subresource
	case group != "":
		call.Resource += "." + group
	case subresource != "":
		call.Resource += "/" + subresource
	}
	call.Verb = verb(req, call.Name != "")
	if call.Verb == "watch" && connects(subresource) {
		call.Verb = "get" // the parameter is for who is reached
	}
	return call
}

// path is what is left to read.
type path struct{ rest string }

func (p *path) next() string {
	var part string
	part, p.rest, _ = strings.Cut(p.rest, "/")
	return part
}

// group cuts /api/{version} or /apis/{group}/{version} off, and what is before it where the API server is
// reached through a proxy. It is false where no resource follows.
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
		case parameter(req, "watch=true") || parameter(req, "watch=1"):
			return "watch"
		case named:
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

// parameter looks for a query parameter without parsing the query, whose other values may be long.
func parameter(req *http.Request, want string) bool {
	for query := req.URL.RawQuery; query != ""; {
		var param string
		if param, query, _ = strings.Cut(query, "&"); param == want {
			return true
		}
	}
	return false
}
