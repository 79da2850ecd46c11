// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
)

// selection is which objects a list or watch is about.
type selection struct {
	namespace string
	labels    labels.Selector
	fields    fields.Selector
	paths     []string // of the fields
}

func selectionOf(c Call, query url.Values, r *Resource) (*selection, error) {
	s := &selection{namespace: c.Namespace}
	var err error
	if s.labels, err = labels.Parse(query.Get("labelSelector")); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if s.fields, err = fields.ParseSelector(query.Get("fieldSelector")); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	known := append([]string{".metadata.name", ".metadata.namespace"}, r.SelectableFields...)
	for _, requirement := range s.fields.Requirements() {
		path := "." + requirement.Field
		if !slices.Contains(known, path) {
			return nil, apierrors.NewBadRequest(fmt.Sprintf(
				"field label not supported: %s: name it in the SelectableFields of the virtualtest.Resource if the CRD does",
				requirement.Field))
		}
		s.paths = append(s.paths, path)
	}
	return s, nil
}

// has reports whether an object is selected; nil is not.
func (s *selection) has(o *object) bool {
	if o == nil || s.namespace != "" && o.GetNamespace() != s.namespace {
		return false
	}
	if !s.labels.Matches(labels.Set(o.GetLabels())) {
		return false
	}
	set := fields.Set{}
	for _, path := range s.paths {
		value, _, _ := unstructured.NestedFieldNoCopy(o.Object, strings.Split(path[1:], ".")...)
		if value != nil {
			set[path[1:]] = fmt.Sprint(value)
		}
	}
	return s.fields.Matches(set)
}

// event is what a change is for who watches the selection: an object that comes to be selected is added, one
// that ceases to be is deleted.
func (s *selection) event(c change) (kind watch.EventType, seen bool) {
	was := s.has(c.before)
	is := s.has(c.object) && c.kind != watch.Deleted
	switch {
	case was && is:
		return watch.Modified, true
	case is:
		return watch.Added, true
	case was:
		return watch.Deleted, true
	}
	return "", false
}
