// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"github.com/fxamacker/cbor/v2"
	"k8s.io/apimachinery/pkg/types"
)

// parseCBOR leaves out what an object has besides its metadata. There is no way to stop before it. The
// decoder of apimachinery, whose options these are, refuses fields that it is not told of.
func (o *Object) parseCBOR(body []byte) bool {
	decoder, err := cbor.DecOptions{
		FieldNameByteString: cbor.FieldNameByteStringAllowed,
		ByteStringToString:  cbor.ByteStringToStringAllowed,
		FieldNameMatching:   cbor.FieldNameMatchingCaseSensitive,
	}.DecMode()
	if err != nil {
		return false
	}
	var read struct {
		Kind     string `json:"kind"`
		Metadata struct {
			Namespace       string            `json:"namespace"`
			Name            string            `json:"name"`
			UID             types.UID         `json:"uid"`
			ResourceVersion string            `json:"resourceVersion"`
			Labels          map[string]string `json:"labels"`
		} `json:"metadata"`
		Details struct {
			Name string    `json:"name"`
			UID  types.UID `json:"uid"`
		} `json:"details"`
	}
	if decoder.Unmarshal(body, &read) != nil {
		return false
	}
	o.Status = read.Kind == "Status"
	if o.Status {
		o.Name = read.Details.Name
		o.UID = read.Details.UID
		return true
	}
	o.Namespace = read.Metadata.Namespace
	o.Name = read.Metadata.Name
	o.UID = read.Metadata.UID
	o.ResourceVersion = read.Metadata.ResourceVersion
	if o.withLabels {
		o.Labels = read.Metadata.Labels
	}
	return true
}
