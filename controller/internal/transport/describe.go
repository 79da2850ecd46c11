package transport

import (
	"net/http"
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

const applyContentType = "application/apply-patch+"

// describe reads the verb and the resource out of a request, as the API server itself does.
// (The server's own parser lives in k8s.io/apiserver, too heavy for every user's go.mod.)
func describe(req *http.Request) *work.Call {
	call := &work.Call{}
	path := req.URL.Path
	parts := strings.Split(strings.Trim(path, "/"), "/")
	group, rest, ok := splitGroup(parts)
	if !ok || len(rest) == 0 {
		call.Verb = strings.ToLower(req.Method)
		call.HTTPRequest = req.Method + " " + path
		return call
	}
	if rest[0] == "namespaces" && len(rest) > 2 && !(len(rest) == 3 && subresourceOfNamespace(rest[2])) {
		call.Namespace = rest[1]
		rest = rest[2:]
	}
	call.Resource = rest[0]
	if group != "" {
		call.Resource += "." + group
	}
	if len(rest) > 1 {
		call.Name = rest[1]
	}
	if len(rest) > 2 {
		call.Resource += "/" + strings.Join(rest[2:], "/")
	}
	call.Verb = verb(req, call.Name != "")
	return call
}

// subresourceOfNamespace tells the namespace's own subresources from the kinds in it.
func subresourceOfNamespace(part string) bool { return part == "status" || part == "finalize" }

// splitGroup cuts /api/{version} or /apis/{group}/{version} off a path. The path may have a prefix
// before that, where the API server is reached through a proxy.
func splitGroup(parts []string) (group string, rest []string, ok bool) {
	for i, part := range parts {
		switch {
		case part == "api" && len(parts) > i+2:
			return "", parts[i+2:], true
		case part == "apis" && len(parts) > i+3:
			return parts[i+1], parts[i+3:], true
		}
	}
	return "", nil, false
}

func verb(req *http.Request, named bool) string {
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		switch query := req.URL.Query(); {
		case query.Get("watch") == "true" || query.Get("watch") == "1":
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
		if strings.HasPrefix(req.Header.Get("Content-Type"), applyContentType) {
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
