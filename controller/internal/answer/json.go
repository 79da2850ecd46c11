// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"bytes"

	"github.com/tidwall/gjson"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// parseJSON reads as far as the end of the metadata, which comes first in what API servers write.
func (o *Object) parseJSON(body []byte) bool {
	if !bytes.HasPrefix(body, []byte("{")) {
		return false
	}
	o.Kind = gjson.GetBytes(body, "kind").String()
	if o.IsStatus() {
		details := gjson.GetBytes(body, "details")
		o.fromStatus(metav1.StatusDetails{
			Name: details.Get("name").String(), UID: types.UID(details.Get("uid").String()),
		})
		return true
	}
	gjson.GetBytes(body, "metadata").ForEach(func(key, value gjson.Result) bool {
		switch key.String() {
		case "name":
			o.Name = value.String()
		case "namespace":
			o.Namespace = value.String()
		case "uid":
			o.UID = types.UID(value.String())
		case "resourceVersion":
			o.ResourceVersion = value.String()
		case "labels":
			value.ForEach(func(label, of gjson.Result) bool {
				o.label(label.String(), of.String())
				return true
			})
		}
		return true
	})
	return true
}
