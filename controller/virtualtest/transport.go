// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/rest"
)

// transport takes the clients' requests.
type transport struct{ api *API }

// Config returns a configuration for clients of the API. They have no limit of their own.
func (a *API) Config() *rest.Config {
	config := &rest.Config{Host: "http://virtualtest.invalid", QPS: -1, Transport: transport{a}}
	config.ContentType = "application/json"
	config.AcceptContentTypes = "application/json"
	return config
}

// RoundTrip answers a request. It returns the cause of the context's end, as a real transport does.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := bodyOf(req)
	if err != nil {
		return nil, err
	}
	if err := context.Cause(req.Context()); err != nil {
		return nil, err
	}
	call, ok := callOf(req)
	if !ok {
		return t.other(req), nil
	}
	result, err := t.call(req, call, body)
	if refused := context.Cause(req.Context()); err != nil && refused != nil {
		return nil, refused
	}
	switch status := apierrors.APIStatus(nil); {
	case err == nil:
	case errors.As(err, &status):
		result = statusOf(err)
	default:
		return nil, err
	}
	if events, ok := result.(*stream); ok {
		return response(req, http.StatusOK, events), nil
	}
	return answer(req, code(call, result), result), nil
}

func (t transport) call(req *http.Request, call Call, body []byte) (any, error) {
	if err := t.api.note(req.Context(), call); err != nil {
		return nil, err
	}
	result, err := serve(req.Context(), t.api.served, t.api.store, &request{
		Call: call, query: req.URL.Query(), body: body, contentType: req.Header.Get("Content-Type"),
		accept: req.Header.Get("Accept"), userAgent: req.UserAgent(),
	})
	if err != nil {
		return nil, err
	}
	if err := t.api.after.call(req.Context(), call); err != nil {
		if events, ok := result.(*stream); ok {
			err = errors.Join(err, events.Close())
		}
		return nil, err
	}
	return result, nil
}

// other answers a request that is no call.
func (t transport) other(req *http.Request) *http.Response {
	if strings.HasSuffix(req.URL.Path, "z") { // healthz, livez, readyz
		return response(req, http.StatusOK, io.NopCloser(strings.NewReader("ok")))
	}
	if found := discover(t.api.served, req.URL.Path); found != nil {
		return answer(req, http.StatusOK, found)
	}
	return answer(req, http.StatusNotFound, notThere(req.URL.Path))
}

func notThere(path string) *metav1.Status {
	err := apierrors.NewGenericServerResponse(http.StatusNotFound, "", schema.GroupResource{}, "", path, 0, true)
	err.ErrStatus.Message = "the server could not find the requested resource: " + path
	return statusOf(err)
}

func bodyOf(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(req.Body)
	if err := errors.Join(err, req.Body.Close()); err != nil {
		return nil, fmt.Errorf("read the body of the request: %w", err)
	}
	return body, nil
}

func code(call Call, result any) int {
	status, ok := result.(*metav1.Status)
	switch {
	case ok && status.Code != 0:
		return int(status.Code)
	case call.Verb == "create":
		return http.StatusCreated
	}
	return http.StatusOK
}

func answer(req *http.Request, code int, result any) *http.Response {
	text, err := json.Marshal(result)
	if err != nil {
		text = []byte(err.Error())
		code = http.StatusInternalServerError
	}
	r := response(req, code, io.NopCloser(bytes.NewReader(text)))
	r.ContentLength = int64(len(text))
	if status, ok := result.(*metav1.Status); ok && status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		r.Header.Set("Retry-After", fmt.Sprint(status.Details.RetryAfterSeconds))
	}
	return r
}

func response(req *http.Request, code int, body io.ReadCloser) *http.Response {
	return &http.Response{
		Status: fmt.Sprintf("%d %s", code, http.StatusText(code)), StatusCode: code,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: req,
	}
}
