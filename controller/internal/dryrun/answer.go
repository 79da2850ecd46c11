// SPDX-License-Identifier: Apache-2.0

package dryrun

import (
	"mime"
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/apimachinery/pkg/util/json"
)

// reader reads answers of API servers, whatever their encoding.
type reader struct {
	// schemes have the types of what is encoded in protobuf, which does not say what its fields are.
	schemes func() []*runtime.Scheme
}

// object reads an object. It is nil if that cannot be done.
func (r *reader) object(header http.Header, body []byte) map[string]any {
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return nil
	}
	var object map[string]any
	switch mediaType {
	case runtime.ContentTypeJSON:
		err = json.Unmarshal(body, &object)
	case runtime.ContentTypeCBOR:
		err = direct.Unmarshal(body, &object)
	case runtime.ContentTypeProtobuf:
		return fieldsOf(r.typed(body))
	}
	if err != nil {
		return nil
	}
	return object
}

// items reads the objects of a list. ok is false if that cannot be done.
func (r *reader) items(header http.Header, body []byte) (items []map[string]any, ok bool) {
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if mediaType == runtime.ContentTypeProtobuf {
		list := r.typed(body)
		if list == nil || !meta.IsListType(list) {
			return nil, false
		}
		objects, err := meta.ExtractList(list)
		for _, object := range objects {
			items = append(items, fieldsOf(object))
		}
		return items, err == nil
	}
	all, ok := r.object(header, body)["items"].([]any)
	for _, item := range all {
		object, _ := item.(map[string]any)
		items = append(items, object)
	}
	return items, ok
}

// typed decodes protobuf. It returns nil if no scheme has the type.
func (r *reader) typed(body []byte) runtime.Object {
	for _, scheme := range r.schemes() {
		object, _, err := serializer.NewCodecFactory(scheme).UniversalDeserializer().Decode(body, nil, nil)
		if err == nil {
			return object
		}
	}
	return nil
}

func fieldsOf(object runtime.Object) map[string]any {
	if object == nil {
		return nil
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil
	}
	return fields
}

// text returns a field that is a string.
func text(object map[string]any, path ...string) string {
	for _, key := range path[:len(path)-1] {
		object, _ = object[key].(map[string]any)
	}
	s, _ := object[path[len(path)-1]].(string)
	return s
}
