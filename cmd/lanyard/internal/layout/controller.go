// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"path"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/names"
)

// Controller is a controller beside that of a kind.
type Controller struct {
	Kind              // for which it is; its Name is the controller's
	Controller string // its name, such as pod-counter
	BuiltIn    bool   // the kind is Kubernetes' own
	Package    string // of the kind's Go type
	Namespaced bool
}

// Informers returns the package of the factory of informers.
func (c Controller) Informers() string {
	if c.BuiltIn {
		return "informers"
	}
	return "externalversions"
}

// PrivatePlural returns the name of a variable for all objects.
func (c Controller) PrivatePlural() string {
	return names.Variable(c.GoPlural(), "clients", "informers", "kubernetes", c.Alias())
}

// Files returns the files of the controller.
func (c Controller) Files() ([]File, error) {
	return renderEach([][2]string{
		{"controller/controller.go", path.Join("internal/controllers", c.File()+".go")},
		{"controller/controller_test.go", path.Join("internal/controllers", c.File()+"_test.go")},
	}, c)
}
