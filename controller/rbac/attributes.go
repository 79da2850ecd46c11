// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/fields"

	"github.com/lanyard-k8s/lanyard/controller/internal/clientgo"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// usesOf returns what the API server asks its authorizer for a request. prefix is the part of the
// path that is not the API server's own: that of a proxy before it. It does not have what depends on
// the answer: see [created].
func usesOf(req *http.Request, prefix string) []Use {
	if uses := impersonation(req.Header); len(uses) > 0 {
		return uses // what the request is about is asked of the other user
	}
	use, ok := useOf(req, prefix)
	if !ok {
		return nil
	}
	more := use
	switch {
	case use.Verb == "get" && upgrades(use):
		// Since Kubernetes 1.35 the API server asks for create as well, or who may read pods could
		// run commands in them over WebSockets.
		more.Verb = "create"
		return []Use{use, more}
	case use.Verb == "watch" && clientgo.StreamsList(req):
		// Where the API server does not stream a list, client-go's reflector sends a list.
		more.Verb = "list"
		return []Use{use, more}
	}
	return []Use{use}
}

// upgrades reports whether a use opens a stream to a container.
func upgrades(u Use) bool {
	switch u.Resource {
	case "pods/attach", "pods/exec", "pods/portforward":
		return u.Group == ""
	}
	return false
}

// useOf returns the use that a request itself is. ok is false for what the API server does not know.
func useOf(req *http.Request, prefix string) (use Use, ok bool) {
	call := apicall.ParseBelow(req, prefix)
	if call.Path != "" {
		return Use{Verb: call.Verb, Path: call.Path}, true
	}
	use = Use{Verb: call.Verb, Namespace: call.Namespace, Name: call.Name}
	resource, subresource, nested := strings.Cut(call.Resource, "/")
	use.Resource, use.Group, _ = strings.Cut(resource, ".")
	if use.Group == "" && use.Resource == "namespaces" {
		use.Namespace = use.Name // a Role in a namespace may allow to get that namespace
	}
	if nested {
		use.Resource += "/" + subresource
	}
	switch use.Verb {
	case "apply":
		use.Verb = "patch"
	case "list", "watch":
		if use.Name == "" {
			use.Name = selectedName(req)
		}
	case "get", "create", "update", "patch", "delete", "deletecollection":
	default:
		return Use{}, false
	}
	return use, true
}

// selectedName returns the one name that the field selector of a list or watch allows, or nothing.
func selectedName(req *http.Request) string {
	if !strings.Contains(req.URL.RawQuery, "fieldSelector") {
		return ""
	}
	selector, err := fields.ParseSelector(req.URL.Query().Get("fieldSelector"))
	if err != nil {
		return ""
	}
	name, _ := selector.RequiresExactMatch("metadata.name")
	return name
}

// created returns the use that a request needed besides itself, because it made an object that was
// not there: server-side apply, or an update of a kind that allows it.
func created(u Use) (Use, bool) {
	if u.Verb != "patch" && u.Verb != "update" {
		return Use{}, false
	}
	u.Verb = "create"
	return u, true
}
