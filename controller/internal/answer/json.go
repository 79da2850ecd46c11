// SPDX-License-Identifier: Apache-2.0

package answer

import (
	"bytes"

	"github.com/tidwall/gjson"
	"k8s.io/apimachinery/pkg/types"
)

// parseJSON reads as far as the end of the metadata, which comes first in what API servers write.
func (o *Object) parseJSON(body []byte) bool {
	if !bytes.HasPrefix(body, []byte("{")) {
		return false
	}
	o.Status = gjson.GetBytes(body, "kind").Str == "Status"
	if o.Status {
		details := gjson.GetBytes(body, "details")
		o.Name = details.Get("name").String()
		o.UID = types.UID(details.Get("uid").String())
		return true
	}
	gjson.GetBytes(body, "metadata").ForEach(func(key, value gjson.Result) bool {
		switch key.String() {
		case "name":
			set(&o.Name, value.String())
		case "namespace":
			set(&o.Namespace, value.String())
		case "uid":
			set(&o.UID, value.String())
		case "resourceVersion":
			set(&o.ResourceVersion, value.String())
		case "labels":
			if !o.withLabels {
				return true
			}
			value.ForEach(func(label, of gjson.Result) bool {
				o.label(label.String(), of.String())
				return true
			})
		}
		return true
	})
	return true
}
