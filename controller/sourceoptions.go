// SPDX-License-Identifier: Apache-2.0

package controller

import "k8s.io/apimachinery/pkg/runtime/schema"

// SourceOption is an option for the informer of [New], [Owns] or [Watches].
type SourceOption[O Object] func(*sourceSettings[O])

type sourceSettings[O Object] struct {
	filters []Filter[O]
	kind    *schema.GroupKind // nil: not stated
}

// WithFilter drops the events that do not pass all of the filters.
func WithFilter[O Object](filters ...Filter[O]) SourceOption[O] {
	return func(s *sourceSettings[O]) { s.filters = append(s.filters, filters...) }
}

// WithKind states the group and kind of the objects. It is needed in two cases: the name of the Go
// type is not the kind, or another group has a kind of the same name. By default the kind is the
// name of the Go type, and an owner reference with that kind matches in any group.
func WithKind[O Object](kind schema.GroupKind) SourceOption[O] {
	return func(s *sourceSettings[O]) { s.kind = &kind }
}

func collectOptions[O Object](options []SourceOption[O]) sourceSettings[O] {
	var settings sourceSettings[O]
	for _, apply := range options {
		apply(&settings)
	}
	return settings
}
