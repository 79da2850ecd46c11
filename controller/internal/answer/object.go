// SPDX-License-Identifier: Apache-2.0

package answer

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

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

// fromStatus takes over what the details of a Status say.
func (o *Object) fromStatus(details metav1.StatusDetails) {
	o.Name = details.Name
	o.UID = details.UID
}

func (o *Object) label(key, value string) {
	if o.Labels == nil {
		o.Labels = map[string]string{}
	}
	o.Labels[key] = value
}
