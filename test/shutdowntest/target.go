// SPDX-License-Identifier: Apache-2.0

package shutdowntest

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

func targetOf(req *http.Request) Target {
	call := apicall.Parse(req)
	if call.Path != "" {
		return Target{Verb: call.Verb, Name: call.Path}
	}
	return Target{Verb: call.Verb, Resource: call.Resource, Namespace: call.Namespace, Name: call.Name}
}
