// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"bytes"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of fields in the messages of k8s.io/apimachinery (generated.proto of runtime and meta/v1).
// They never change: that is what protobuf promises.
const (
	unknownTypeMeta  protowire.Number = 1
	unknownRaw       protowire.Number = 2
	typeMetaKind     protowire.Number = 2
	objectMetadata   protowire.Number = 1 // of every kind that has metadata
	metaName         protowire.Number = 1
	metaNamespace    protowire.Number = 3
	metaUID          protowire.Number = 5
	metaVersion      protowire.Number = 6
	metaLabels       protowire.Number = 11
	mapKey, mapValue protowire.Number = 1, 2
	statusDetails    protowire.Number = 5
	detailsName      protowire.Number = 1
	detailsUID       protowire.Number = 6
)

// parseProtobuf reads the fields of the envelope, and those of the metadata in it.
func (o *Object) parseProtobuf(body []byte) bool {
	message, found := bytes.CutPrefix(body, []byte("k8s\x00"))
	if !found {
		return false
	}
	var raw []byte
	ok := each(message, func(number protowire.Number, value []byte) {
		switch number {
		case unknownTypeMeta:
			each(value, func(number protowire.Number, value []byte) {
				if number == typeMetaKind {
					o.Status = string(value) == "Status"
				}
			})
		case unknownRaw:
			raw = value
		}
	})
	if !ok {
		return false
	}
	if o.Status {
		return each(raw, func(number protowire.Number, value []byte) {
			if number == statusDetails {
				each(value, o.detail)
			}
		})
	}
	return o.parseMeta(raw)
}

// parseMeta reads the metadata of an object, which is its first field.
func (o *Object) parseMeta(raw []byte) bool {
	number, kind, n := protowire.ConsumeTag(raw)
	if n < 0 || number != objectMetadata || kind != protowire.BytesType {
		return false
	}
	metadata, n := protowire.ConsumeBytes(raw[n:])
	return n >= 0 && each(metadata, o.meta)
}

func (o *Object) meta(number protowire.Number, value []byte) {
	switch number {
	case metaName:
		set(&o.Name, value)
	case metaNamespace:
		set(&o.Namespace, value)
	case metaUID:
		set(&o.UID, value)
	case metaVersion:
		set(&o.ResourceVersion, value)
	case metaLabels:
		if !o.withLabels {
			return
		}
		var label, of string
		each(value, func(number protowire.Number, value []byte) {
			switch number {
			case mapKey:
				label = string(value)
			case mapValue:
				of = string(value)
			}
		})
		o.label(label, of)
	}
}

func (o *Object) detail(number protowire.Number, value []byte) {
	switch number {
	case detailsName:
		set(&o.Name, value)
	case detailsUID:
		set(&o.UID, value)
	}
}

// each calls f for the fields of a message that are strings, bytes or messages. It reports whether the
// message is whole.
func each(message []byte, f func(protowire.Number, []byte)) bool {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		message = message[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
				return false
			}
			message = message[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(message)
		if n < 0 {
			return false
		}
		f(number, value)
		message = message[n:]
	}
	return true
}
