// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/clientgo"
)

// When etcd was restored from a backup, the API server is at an older version than caches have seen.
// A watch from such a version is no error for the API server: it sends nothing until it has reached
// that version again, and what it does until then is missed for good. So before a watch goes on from
// a version, a list of at most one object asks for the current version. If that is older, the watch
// is answered with 410 Gone, with which a reflector lists anew.

// versionTimeout limits the question for the current version. If it is not answered, the watch is
// sent all the same.
const versionTimeout = 5 * time.Second

// freshList is the time after a list in which a watch from its version needs no question.
const freshList = 5 * time.Second

// maxVersionAnswer is the number of bytes that are read of the answer to the question.
const maxVersionAnswer = 4 << 20

// goneIfAhead returns the answer to a watch from a version that the API server has not reached yet, or
// nil. Questions are sent through transport.
func goneIfAhead(f feed, watch *http.Request, transport http.RoundTripper) *http.Response {
	if clientgo.StreamsList(watch) || f.streams.ListedWithin(f.path, freshList) {
		return nil
	}
	from := watch.URL.Query().Get("resourceVersion")
	if from == "" || from == "0" {
		return nil
	}
	current := currentVersion(watch, transport)
	if order, err := resourceversion.CompareResourceVersion(current, from); err != nil || order >= 0 {
		return nil
	}
	f.streams.Rewound(from, current)
	return expired(watch, fmt.Sprintf(
		"the API server is at version %s, and the cache has seen version %s", current, from))
}

// currentVersion returns the current version of the collection that a watch is about, or nothing if
// the API server does not say. It is a consistent read.
func currentVersion(watch *http.Request, transport http.RoundTripper) string {
	ctx, cancel := context.WithTimeoutCause(watch.Context(), versionTimeout, cause.CallTimeout)
	defer cancel()
	question := watch.Clone(context.WithValue(ctx, asksForVersion{}, true))
	before := watch.URL.Query()
	query := url.Values{"limit": {"1"}}
	for _, selector := range []string{"labelSelector", "fieldSelector"} {
		if value := before.Get(selector); value != "" {
			query.Set(selector, value)
		}
	}
	question.URL.RawQuery = query.Encode()
	question.Header.Set("Accept",
		"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json")
	resp, err := transport.RoundTrip(question)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	var list struct {
		Metadata metav1.ListMeta `json:"metadata"`
	}
	if resp.StatusCode != http.StatusOK ||
		json.NewDecoder(io.LimitReader(resp.Body, maxVersionAnswer)).Decode(&list) != nil {
		return ""
	}
	return list.Metadata.ResourceVersion
}

// expired returns an answer like that of an API server which does not know a version any more.
func expired(req *http.Request, message string) *http.Response {
	status := apierrors.NewResourceExpired(message).Status()
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	body, _ := json.Marshal(status) // it is made of strings
	return &http.Response{
		Status:     http.StatusText(http.StatusGone),
		StatusCode: http.StatusGone, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}
