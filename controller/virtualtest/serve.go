// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"context"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// serve does what a call asks for. It returns an object to encode, or a *stream.
func serve(ctx context.Context, all served, s *store, req *request) (any, error) {
	r := all.find(req.Group, req.Version, req.Resource)
	if r == nil || req.Subresource != "" && (req.Subresource != "status" || r.NoStatus) {
		return nil, unknown(req.Call)
	}
	if !r.ClusterScoped && req.Namespace == "" && req.Verb != "list" && req.Verb != "watch" {
		return nil, unknown(req.Call)
	}
	switch req.Verb {
	case "get":
		return read(s, r, req)
	case "list":
		return readAll(s, r, req)
	case "watch":
		return newStream(ctx, s, r, req)
	}
	return write(all, s, r, req)
}

func unknown(c Call) error {
	err := apierrors.NewGenericServerResponse(http.StatusNotFound, c.Verb,
		schema.GroupResource{Group: c.Group, Resource: c.Resource}, c.Name, "", 0, true)
	err.ErrStatus.Message = "the server could not find the requested resource (" + c.String() + " of " +
		strings.TrimPrefix(c.Group+"/"+c.Version, "/") + ")"
	return err
}

// write makes a write.
func write(all served, s *store, r *Resource, req *request) (any, error) {
	if kind := strings.SplitN(req.contentType, ";", 2)[0]; req.Verb != "patch" && len(req.body) > 0 && kind != "application/json" {
		return nil, unsupported(types.PatchType(kind))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.garbage {
		defer collect(all, s)
	}
	w := &writer{store: s, request: req, resource: r}
	form := formOf(req.accept)
	var o *object
	var err error
	switch req.Verb {
	case "create":
		o, err = w.create()
	case "update":
		o, err = w.update()
	case "patch":
		switch w.patchType() {
		case types.ApplyYAMLPatchType:
			o, err = w.apply()
		default:
			o, err = w.patch()
		}
	case "delete":
		var ended any
		if ended, err = w.delete(); err != nil {
			return nil, err
		}
		if status, ok := ended.(*metav1.Status); ok {
			return status, nil
		}
		o = ended.(*object)
	case "deletecollection":
		ended, err := w.deleteAll()
		if err != nil {
			return nil, err
		}
		return form.list(ended, r, s.version), nil
	}
	if err != nil {
		return nil, err
	}
	return form.of(o, r), nil
}
