// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"net/http"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// Selection is which objects a cache has.
type Selection struct {
	Resource  string // with its group, such as "deployments.apps"
	Namespace string // empty: all
	Labels    labels.Selector
	Fields    fields.Selector
}

// Has reports whether a cache has the objects of a namespace.
func (s *Selection) Has(namespace string) bool { return s.Namespace == "" || s.Namespace == namespace }

// Matches reports whether an object is in the selection. known is false if that depends on more than its
// name, namespace and labels.
func (s *Selection) Matches(namespace, name string, of func() map[string]string) (matches, known bool) {
	if !s.Has(namespace) || !s.Labels.Empty() && !s.Labels.Matches(labels.Set(of())) {
		return false, true
	}
	if s.Fields.Empty() {
		return true, true
	}
	for _, required := range s.Fields.Requirements() {
		if required.Field != "metadata.name" && required.Field != "metadata.namespace" {
			return false, false
		}
	}
	return s.Fields.Matches(fields.Set{"metadata.name": name, "metadata.namespace": namespace}), true
}

// parseSelection parses what the transport calls a collection.
func parseSelection(collection string) *Selection {
	path, query, _ := strings.Cut(collection, "?")
	byLabels, byFields, _ := strings.Cut(query, "&")
	selector, err := labels.Parse(byLabels)
	if err != nil {
		return nil
	}
	fieldSelector, err := fields.ParseSelector(byFields)
	if err != nil {
		return nil
	}
	call := apicall.Parse(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
	return &Selection{Resource: call.Resource, Namespace: call.Namespace, Labels: selector, Fields: fieldSelector}
}

// isOf reports whether a resource is that of a kind, by the rule that nearly all follow.
func isOf(resource string, kind schema.GroupKind) bool {
	plural, singular := meta.UnsafeGuessKindToResource(kind.WithVersion(""))
	return resource == plural.GroupResource().String() || resource == singular.GroupResource().String()
}
