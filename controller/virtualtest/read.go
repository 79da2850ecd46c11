// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// read answers a get.
func read(s *store, r *Resource, req *request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.get(r.groupResource(), types.NamespacedName{Namespace: req.Namespace, Name: req.Name})
	if o == nil {
		return nil, apierrors.NewNotFound(r.groupResource(), req.Name)
	}
	return formOf(req.accept).of(o, r), nil
}

// readAll answers a list, always with the newest state.
func readAll(s *store, r *Resource, req *request) (any, error) {
	selected, err := selectionOf(req.Call, req.query, r)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(req.query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if version > s.version {
		return nil, tooNew(version, s.version)
	}
	if req.query.Get("resourceVersionMatch") == string(metav1.ResourceVersionMatchExact) && version != s.version {
		return nil, apierrors.NewResourceExpired("the resource version " + strconv.FormatInt(version, 10) + " is gone")
	}
	var all []*object
	for _, o := range s.list(r.groupResource(), req.Namespace) {
		if selected.has(o) {
			all = append(all, o)
		}
	}
	return formOf(req.accept).list(all, r, s.version), nil
}
