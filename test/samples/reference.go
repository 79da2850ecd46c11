// SPDX-License-Identifier: Apache-2.0

package samples

import "fmt"

// Reference names an object.
type Reference struct {
	// APIVersion and Kind are those of its manifest, such as example.com/v1 and Widget.
	APIVersion, Kind string
	// Namespace is empty for an object in no namespace.
	Namespace, Name string
}

// String returns the kind, and the name with its namespace, such as: Widget default/web.
func (r Reference) String() string {
	if r.Namespace == "" {
		return fmt.Sprintf("%s %s", r.Kind, r.Name)
	}
	return fmt.Sprintf("%s %s/%s", r.Kind, r.Namespace, r.Name)
}
