package shutdowntest

import (
	"net/http"
	"strings"
)

// Target says what a request is about, in the API server's own words.
type Target struct {
	Verb      string // get, list, watch, create, update, patch, apply, delete or deletecollection; else the method
	Resource  string // with group and subresource, such as deployments.apps or flunders.wardle.example.com/status
	Namespace string
	Name      string // or the path, of what is no resource
}

// String is the target in a few words.
func (t Target) String() string {
	words := t.Verb
	if t.Resource != "" {
		words += " " + t.Resource
	}
	switch {
	case t.Name != "":
		words += " " + strings.TrimPrefix(t.Namespace+"/"+t.Name, "/")
	case t.Namespace != "":
		words += " in " + t.Namespace
	}
	return words
}

// targetOf reads a request as the API server does, whose own parser has too many dependencies for this.
func targetOf(req *http.Request) Target {
	group, rest := splitPath(strings.Split(strings.Trim(req.URL.Path, "/"), "/"))
	if len(rest) == 0 {
		return Target{Verb: strings.ToLower(req.Method), Name: req.URL.Path}
	}
	var t Target
	// The two subresources that a namespace has are no resources in it.
	if rest[0] == "namespaces" && len(rest) > 2 && rest[2] != "status" && rest[2] != "finalize" {
		t.Namespace = rest[1]
		rest = rest[2:]
	}
	t.Resource = rest[0]
	if group != "" {
		t.Resource += "." + group
	}
	if len(rest) > 1 {
		t.Name = rest[1]
	}
	if len(rest) > 2 {
		t.Resource += "/" + strings.Join(rest[2:], "/")
	}
	t.Verb = verbOf(req, t.Name != "")
	return t
}

// splitPath cuts /api/{version} or /apis/{group}/{version} off a path, with whatever is before it.
func splitPath(parts []string) (group string, rest []string) {
	for i, part := range parts {
		switch {
		case part == "api" && len(parts) > i+2:
			return "", parts[i+2:]
		case part == "apis" && len(parts) > i+3:
			return parts[i+1], parts[i+3:]
		}
	}
	return "", nil
}

func verbOf(req *http.Request, named bool) string {
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		switch watch := req.URL.Query().Get("watch"); {
		case watch == "true" || watch == "1":
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
		if !named {
			return "deletecollection"
		}
	}
	return strings.ToLower(req.Method)
}
