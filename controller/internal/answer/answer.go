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
	mediaType, _, _ := strings.Cut(contentType, ";")
	switch strings.TrimSpace(mediaType) {
	case runtime.ContentTypeProtobuf:
		ok = object.parseProtobuf(body)
	case runtime.ContentTypeCBOR:
		ok = object.parseCBOR(body)
	case runtime.ContentTypeJSON:
		ok = object.parseJSON(body)
	}
	return object, ok
}
