// SPDX-License-Identifier: Apache-2.0

package answer

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
)

// parseCBOR leaves out what an object has besides its metadata. There is no way to stop before it.
func (o *Object) parseCBOR(body []byte) bool {
	var read struct {
		Kind     string                `json:"kind"`
		Metadata metav1.ObjectMeta     `json:"metadata"`
		Details  *metav1.StatusDetails `json:"details"`
	}
	if direct.Unmarshal(body, &read) != nil {
		return false
	}
	o.Kind = read.Kind
	if o.IsStatus() {
		if read.Details != nil {
			o.fromStatus(*read.Details)
		}
		return true
	}
	o.Namespace = read.Metadata.Namespace
	o.Name = read.Metadata.Name
	o.UID = read.Metadata.UID
	o.ResourceVersion = read.Metadata.ResourceVersion
	o.Labels = read.Metadata.Labels
	return true
}
