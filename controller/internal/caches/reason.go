// SPDX-License-Identifier: Apache-2.0

package caches

// Reason is the kind of an error that a cache counts.
type Reason string

// The reasons. They are values of a metric's label.
const (
	ListOrWatch Reason = "list_or_watch" // a list or watch failed
	Transform   Reason = "transform"     // the transform failed for an object
	Handler     Reason = "handler"       // a filter or mapping panicked
	Rewound     Reason = "rewound"       // the API server's versions run backwards
)

// Reasons are all reasons.
func Reasons() []Reason { return []Reason{ListOrWatch, Transform, Handler, Rewound} }
