// SPDX-License-Identifier: Apache-2.0

package clientspans

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// reason returns the error.type of a response: the API server's reason if it was read, or the usual
// reason for the status code, or the code itself.
func reason(resp *http.Response, body []byte) string {
	var found string
	switch mediaType := resp.Header.Get("Content-Type"); {
	case strings.HasPrefix(mediaType, "application/json"):
		found = reasonInJSON(body)
	case strings.HasPrefix(mediaType, runtime.ContentTypeProtobuf):
		found = reasonInProtobuf(body)
	}
	if isWord(found) {
		return found
	}
	return reasonOf(resp.StatusCode)
}

// reasonInJSON returns the reason, also if the rest of the Status was cut off.
func reasonInJSON(body []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	for depth, key := 0, ""; ; {
		token, err := decoder.Token()
		if err != nil {
			return ""
		}
		switch token := token.(type) {
		case json.Delim:
			if depth++; token == '}' || token == ']' {
				depth -= 2
			}
			key = ""
		case string:
			switch {
			case depth == 1 && key == "":
				key = token
			case depth == 1 && key == "reason":
				return token
			default:
				key = ""
			}
		default:
			key = ""
		}
	}
}

func reasonInProtobuf(body []byte) string {
	var (
		envelope runtime.Unknown
		status   metav1.Status
	)
	body, ok := bytes.CutPrefix(body, []byte("k8s\x00"))
	if !ok || envelope.Unmarshal(body) != nil || status.Unmarshal(envelope.Raw) != nil {
		return ""
	}
	return string(status.Reason)
}

// isWord reports whether a reason is one word. It bounds the number of different values, because
// some servers put sentences there.
func isWord(reason string) bool {
	return reason != "" && len(reason) <= 64 && strings.IndexFunc(reason, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

func reasonOf(code int) string {
	switch code {
	case http.StatusBadRequest:
		return string(metav1.StatusReasonBadRequest)
	case http.StatusUnauthorized:
		return string(metav1.StatusReasonUnauthorized)
	case http.StatusForbidden:
		return string(metav1.StatusReasonForbidden)
	case http.StatusNotFound:
		return string(metav1.StatusReasonNotFound)
	case http.StatusUnprocessableEntity:
		return string(metav1.StatusReasonInvalid)
	case http.StatusTooManyRequests:
		return string(metav1.StatusReasonTooManyRequests)
	case http.StatusInternalServerError:
		return string(metav1.StatusReasonInternalError)
	case http.StatusServiceUnavailable:
		return string(metav1.StatusReasonServiceUnavailable)
	case http.StatusGatewayTimeout:
		return string(metav1.StatusReasonTimeout)
	}
	return strconv.Itoa(code)
}
