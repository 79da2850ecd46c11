// SPDX-License-Identifier: Apache-2.0

// Package answer reads, of the answer to an API call, what it says of the object's identity and version.
// It reads the beginning of the answer only: the object itself is decoded by the caller's client.
package answer

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

// Parse reads an answer, or the body of a request. ok is false if it is not in an encoding that API servers
// use.
func Parse(contentType string, body []byte) (object Object, ok bool) {
	ok = object.Parse(contentType, body)
	return object, ok
}

// Labels reads the labels of an object.
func Labels(contentType string, body []byte) map[string]string {
	object := Object{withLabels: true}
	object.Parse(contentType, body)
	return object.Labels
}

// Parse is [Parse] for an object of which something is known: it makes no copy of what is as expected.
func (o *Object) Parse(contentType string, body []byte) (ok bool) {
	mediaType, _, _ := strings.Cut(contentType, ";")
	switch strings.TrimSpace(mediaType) {
	case runtime.ContentTypeProtobuf:
		ok = o.parseProtobuf(body)
	case runtime.ContentTypeCBOR:
		ok = o.parseCBOR(body)
	case runtime.ContentTypeJSON:
		ok = o.parseJSON(body)
	}
	return ok
}
