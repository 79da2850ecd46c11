// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"path"
	"strings"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/names"
)

// Kind is a kind of a project, and its controller.
type Kind struct {
	Module  string
	Group   string
	Version string
	Kind    string
	Plural  string
	Folder  string // of the group, below api
	Name    string // of the controller, in CamelCase
}

// GoGroup returns the name of the group in the methods of the clientset.
func (k Kind) GoGroup() string { return names.Title(k.Folder) }

// DefaultGoGroup returns the name that the generators give to the group, if the package does not state one.
func (k Kind) DefaultGoGroup() string {
	label, _, _ := strings.Cut(k.Group, ".")
	return names.Title(label)
}

// GoVersion returns the name of the version in the methods of the clientset.
func (k Kind) GoVersion() string { return names.Title(k.Version) }

// Alias returns the name under which the package of the types is imported.
func (k Kind) Alias() string { return k.Folder + k.Version }

// Lower returns the kind in lower case.
func (k Kind) Lower() string { return strings.ToLower(k.Kind) }

// File returns the name of the controller in lower case.
func (k Kind) File() string { return strings.ToLower(k.Name) }

// Private returns the name of the controller as a Go name that is not exported.
func (k Kind) Private() string { return names.Variable(k.Name) }

// Var returns the name of a variable for an object.
func (k Kind) Var() string {
	return names.Variable(k.Kind, "apply", "clients", "configMaps", "controller", "coreclient", "context", "desired", "err",
		"externalversions", "fmt", "informers", "kube", "kubernetes", "live", "message", "ready", "reason", "r", "scheme",
		"status", "versioned")
}

// GoPlural returns the name of the method of the clientset.
func (k Kind) GoPlural() string { return names.GoPlural(k.Kind) }

// PrivatePlural returns the name of a variable for all objects.
func (k Kind) PrivatePlural() string {
	return names.Variable(k.GoPlural(), "cached", "clients", "configMaps", "informers", "kubernetes")
}

// DefaultPlural returns the name that the generators give to the resource, if the type does not state one.
func (k Kind) DefaultPlural() string { return names.Plural(k.Kind) }

// OwnPlural reports whether the generated clientset does not say what the resource is called in paths.
func (k Kind) OwnPlural() bool { return k.Plural != k.DefaultPlural() }

// Files returns the files of the kind. With newVersion it is the first one of its group and version.
func (k Kind) Files(newVersion bool) ([]File, error) {
	api := path.Join("api", k.Folder, k.Version)
	places := [][2]string{
		{"kind/types.go", path.Join(api, k.Lower()+"_types.go")},
		{"kind/controller.go", path.Join("internal/controllers", k.File()+".go")},
		{"kind/controller_test.go", path.Join("internal/controllers", k.File()+"_test.go")},
		{"kind/test.go", path.Join("test", k.File()+"_test.go")},
		{"kind/sample.yaml", path.Join("config/samples", k.File()+".yaml")},
	}
	if newVersion {
		places = append(places, [2]string{"group/doc.go", path.Join(api, "doc.go")})
	}
	return renderEach(places, k)
}

func renderEach(places [][2]string, data any) ([]File, error) {
	var files []File
	for _, place := range places {
		file, err := render(place[0], place[1], data)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}
