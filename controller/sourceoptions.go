// SPDX-License-Identifier: Apache-2.0

package controller

import "k8s.io/apimachinery/pkg/runtime/schema"

// SourceOption is an option for the informer of [New], [Owns] or [Watches].
type SourceOption[O Object] func(*sourceSettings[O])

type sourceSettings[O Object] struct {
	filters []Filter[O]
	kind    *schema.GroupKind // nil: not stated

	// For the informer of one namespace: what is told when its cache has synced.
	namespace string
	synced    func(namespace string)
}

// whenSynced returns what to call when the cache has synced, or nil.
func (s *sourceSettings[O]) whenSynced() func() {
	if s.synced == nil {
		return nil
	}
	return func() { s.synced(s.namespace) }
}

// WithFilter drops the events that do not pass all of the filters.
func WithFilter[O Object](filters ...Filter[O]) SourceOption[O] {
	return func(s *sourceSettings[O]) { s.filters = append(s.filters, filters...) }
}

// WithKind states the group and kind of the objects. It is needed if the Go type does not tell it: for
// unstructured objects, for metadata (*metav1.PartialObjectMetadata), and for a type that several
// kinds share. By default the kind is what InformerOptions.Kind says, or what a scheme of
// [Manager.AddScheme] or client-go's own scheme says of the type.
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
