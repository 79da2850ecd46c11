// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"net/http"
	"net/url"
	"strings"
)

// Call is a request to an [API]. Requests that concern no object, such as those of discovery, are no calls.
type Call struct {
	// Verb is get, list, watch, create, update, patch, delete or deletecollection.
	Verb string
	// Group, Version and Resource say of what, such as apps, v1 and deployments. The group of ConfigMaps is empty.
	Group, Version, Resource string
	// Subresource is empty, or status.
	Subresource string
	// Namespace is empty for objects in no namespace, and for a list or watch of all namespaces.
	Namespace string
	// Name is empty for a list, a watch and a create.
	Name string
}

// String returns the call in words, such as: update widgets/status shop/w.
func (c Call) String() string {
	resource := c.Resource
	if c.Subresource != "" {
		resource += "/" + c.Subresource
	}
	object := strings.Trim(c.Namespace+"/"+c.Name, "/")
	return strings.TrimSpace(c.Verb + " " + resource + " " + object)
}

// Writes reports whether the call may change something.
func (c Call) Writes() bool {
	return c.Verb != "get" && c.Verb != "list" && c.Verb != "watch"
}

// request is a call with all that came with it.
type request struct {
	Call
	query       url.Values
	body        []byte
	contentType string
	accept      string
	userAgent   string
}

// callOf reads a call from a request's method and path, such as
// /apis/apps/v1/namespaces/shop/deployments/web/status.
func callOf(req *http.Request) (Call, bool) {
	var c Call
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	switch {
	case parts[0] == "api" && len(parts) > 2:
		c.Version = parts[1]
		parts = parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		c.Group = parts[1]
		c.Version = parts[2]
		parts = parts[3:]
	default:
		return c, false
	}
	// The path namespaces/shop is the Namespace itself.
	if parts[0] == "namespaces" && len(parts) > 2 && parts[2] != "status" && parts[2] != "finalize" {
		c.Namespace = parts[1]
		parts = parts[2:]
	}
	c.Resource = parts[0]
	if len(parts) > 1 {
		c.Name = parts[1]
	}
	c.Subresource = strings.Join(parts[min(len(parts), 2):], "/")
	c.Verb = verbOf(req, c.Name != "")
	return c, c.Verb != ""
}

func verbOf(req *http.Request, named bool) string {
	switch req.Method {
	case http.MethodGet:
		switch watch := req.URL.Query().Get("watch"); {
		case named:
			return "get"
		case watch == "true" || watch == "1":
			return "watch"
		}
		return "list"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if named {
			return "delete"
		}
		return "deletecollection"
	}
	return ""
}
