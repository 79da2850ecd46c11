// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/lanyard-k8s/lanyard/test/internal/target"
)

// narrow keeps a program that works in all namespaces from seeing those of other scenarios: what it lists and watches in
// all namespaces, it gets of its own only. It returns the request unchanged if it is about anything else.
func (p *process) narrow(req *http.Request) *http.Request {
	t := target.Of(req)
	if t.Verb != "list" && t.Verb != "watch" || t.Namespace != "" || strings.Contains(t.Resource, "/") {
		return req
	}
	own := *req.URL
	switch plural, _, _ := strings.Cut(t.Resource, "."); {
	case t.Resource == "namespaces":
		query := own.Query()
		query.Set("fieldSelector", join(query, "metadata.name="+p.namespace))
		own.RawQuery = query.Encode()
	case p.namespaced[t.Resource] && strings.HasSuffix(own.Path, "/"+plural):
		own.Path = strings.TrimSuffix(own.Path, plural) + "namespaces/" + p.namespace + "/" + plural
		own.RawPath = ""
	default:
		return req
	}
	narrowed := req.Clone(req.Context())
	narrowed.URL = &own
	return narrowed
}

func join(query url.Values, selector string) string {
	if already := query.Get("fieldSelector"); already != "" {
		return already + "," + selector
	}
	return selector
}
