// SPDX-License-Identifier: Apache-2.0

// Package target says what requests to an API server are about. It is shared by the packages that put faults
// between a program and its API server.
package target

import (
	"net/http"
	"strings"

	"github.com/lanyard-k8s/lanyard/internal/apicall"
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

// ReadOnly reports whether the request changes nothing.
func (t Target) ReadOnly() bool { return t.Verb == "get" || t.Verb == "list" || t.Verb == "watch" }

// Of returns the target of a request.
func Of(req *http.Request) Target {
	call := apicall.Parse(req)
	if call.Path != "" {
		return Target{Verb: call.Verb, Name: call.Path}
	}
	return Target{Verb: call.Verb, Resource: call.Resource, Namespace: call.Namespace, Name: call.Name}
}
