// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"time"
)

// Call is a request to the API server, in the API server's own terms.
type Call struct {
	// Verb is get, list, watch, create, update, patch, apply, delete or deletecollection. For a
	// request that is not about a resource it is the HTTP method in lower case.
	Verb string
	// Resource has the group and the subresource: pods, deployments.apps,
	// flunders.wardle.example.com/status. Empty for a request that is not about a resource.
	Resource string
	// Namespace is empty for cluster-scoped resources and for calls across all namespaces.
	Namespace string
	// Name is the object's. Empty for list, watch, create and deletecollection.
	Name string
	// Path is the URL's path of a request that is not about a resource, such as /version. Otherwise
	// empty.
	Path string

	// Age is the time since the call was made, at the moment the report was written. Zero where a
	// call is only described.
	Age time.Duration
	// Waiting reports whether the call was waiting for room on a connection: it had not been sent.
	Waiting bool
	// RateLimited reports that a call was waiting for the client-side rate limiter. Nothing else is
	// known of it: client-go asks the limiter before it makes the request.
	RateLimited bool
}

// String returns the call in one line: the verb, the target and, where they are known, what it
// waits for and its age.
func (c Call) String() string {
	words := []string{c.Verb}
	switch {
	case c.RateLimited:
		words = []string{"a call that waits for the client-side rate limiter"}
	case c.Path != "":
		words = append(words, c.Path)
	case c.Name != "":
		words = append(words, c.Resource, strings.TrimPrefix(c.Namespace+"/"+c.Name, "/"))
	case c.Namespace != "":
		words = append(words, c.Resource, "in", c.Namespace)
	default:
		words = append(words, c.Resource)
	}
	if c.Waiting {
		words = append(words, "(waiting for room on a connection)")
	}
	if c.Age > 0 {
		words = append(words, fmt.Sprintf("for %v", c.Age.Round(time.Millisecond)))
	}
	return strings.Join(words, " ")
}

// Throttle is the reason why a call was held back before it was sent. The constants below are all
// reasons. It is a label of metrics and an attribute of spans.
type Throttle string

// The reasons for which a call is held back.
const (
	ThrottleRateLimiter Throttle = "rate_limiter" // the client's own rate limiter
	ThrottleRetryAfter  Throttle = "retry_after"  // the server's answer to the previous attempt asked for it
	ThrottleConnection  Throttle = "connection"   // all connections carry as many calls as they may
	ThrottleFence       Throttle = "fence"        // the server's fence has not heard of the term yet
)
