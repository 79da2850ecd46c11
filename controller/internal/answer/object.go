// SPDX-License-Identifier: Apache-2.0

package answer

import "k8s.io/apimachinery/pkg/types"

// Object is what an answer says. What it does not say is empty.
type Object struct {
	// Status says that the answer is no object but how a call went. Then the UID, if there is one, is that
	// of an object which is gone.
	Status          bool
	Namespace       string
	Name            string
	UID             types.UID
	ResourceVersion string
	Labels          map[string]string // nil unless they were asked for

	withLabels bool
}

func (o *Object) label(key, value string) {
	if o.Labels == nil {
		o.Labels = map[string]string{}
	}
	o.Labels[key] = value
}
