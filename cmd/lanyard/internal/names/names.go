// SPDX-License-Identifier: Apache-2.0

// Package names checks the names that a project is made of, and derives others from them.
package names

import (
	"fmt"
	"go/token"
	"path"
	"regexp"
	"strings"

	"golang.org/x/mod/module"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/gengo/v2/namer"
	"k8s.io/gengo/v2/types"
)

// CheckModule returns an error if path cannot be the path of a Go module.
func CheckModule(path string) error {
	if err := module.CheckPath(path); err != nil {
		return fmt.Errorf("%w; write it as host/path, such as example.com/shop/widget-operator", err)
	}
	return nil
}

// Project returns the name of the program, its image and its objects in a cluster, from the path of a module.
func Project(modulePath string) string {
	prefix, _, _ := module.SplitPathVersion(modulePath)
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(path.Base(prefix)))
}

// CheckProject returns an error if name cannot be the name of a project.
func CheckProject(name string) error {
	const suffix = "-fence-lease" // the longest that is put behind it
	if problems := validation.IsDNS1123Label(name + suffix); len(problems) > 0 {
		return fmt.Errorf("name %q: it is also a name in the cluster, where lower-case letters, digits and '-' are allowed, "+
			"at most %d of them; state another with --name", name, validation.DNS1123LabelMaxLength-len(suffix))
	}
	if !startsWithLetter(name) {
		return fmt.Errorf("name %q does not begin with a letter; state another with --name", name)
	}
	return nil
}

// CheckGroup returns an error if group cannot be the API group of a CustomResourceDefinition.
func CheckGroup(group string) error {
	if problems := validation.IsDNS1123Subdomain(group); len(problems) > 0 {
		return fmt.Errorf("group %q: %s", group, problems[0])
	}
	switch {
	case !strings.Contains(group, "."):
		return fmt.Errorf("group %q has no dot: a group is a domain name of yours, such as shop.example.com", group)
	case strings.HasSuffix(group, ".k8s.io"), strings.HasSuffix(group, ".kubernetes.io"):
		return fmt.Errorf("group %q: the API server keeps groups below k8s.io and kubernetes.io for approved APIs; use a domain of yours", group)
	}
	return nil
}

// CheckVersion returns an error if v is not written as an API version.
func CheckVersion(v string) error {
	if !apiVersion.MatchString(v) {
		return fmt.Errorf("version %q: write it as v1, v1beta1 or v1alpha1", v)
	}
	return nil
}

// CheckKind returns an error if kind cannot be the name of a kind and of its Go type.
func CheckKind(kind string) error {
	switch {
	case !camelCase.MatchString(kind):
		return fmt.Errorf("kind %q: write it in CamelCase, with ASCII letters and digits, such as Widget", kind)
	case len(kind) > 40:
		return fmt.Errorf("kind %q has %d characters: the limit is 40, because names in the cluster are made from it", kind, len(kind))
	case strings.HasSuffix(kind, "List"):
		return fmt.Errorf("kind %q: names that end in List are for lists of a kind", kind)
	case reserved[kind]:
		return fmt.Errorf("kind %q: the package of an API version has another declaration of that name", kind)
	}
	return nil
}

// CheckPlural returns an error if plural cannot be the name of a resource.
func CheckPlural(plural string) error {
	if problems := validation.IsDNS1035Label(plural); len(problems) > 0 {
		return fmt.Errorf("plural %q: %s", plural, problems[0])
	}
	return nil
}

// CheckController returns an error if name cannot be the name of a controller.
func CheckController(name string) error {
	if problems := validation.IsDNS1035Label(name); len(problems) > 0 {
		return fmt.Errorf("controller %q: %s", name, problems[0])
	}
	return nil
}

// Plural returns the name of a kind's resource, by the rule of the generators.
func Plural(kind string) string { return strings.ToLower(GoPlural(kind)) }

// GoPlural returns the name that the generators give to the method of a clientset for a kind.
func GoPlural(kind string) string {
	exceptions := map[string]string{"Endpoints": "Endpoints"} // client-go's
	return namer.NewPublicPluralNamer(exceptions).Name(&types.Type{Name: types.Name{Name: kind}})
}

// GroupFolder returns the name of a group's folder, package and Go methods, all in lower case. With taken, which says
// whether another group has a name, it finds one that is free.
func GroupFolder(group string, taken func(string) bool) string {
	labels := strings.Split(strings.ReplaceAll(group, "-", ""), ".")
	for n := 1; ; n++ {
		name := strings.Join(labels[:min(n, len(labels))], "")
		if !startsWithLetter(name) {
			name = "g" + name
		}
		switch name {
		case "core", "meta": // whose packages have the aliases corev1 and metav1 everywhere
			continue
		case "internal", "testdata", "vendor": // the go command's
			name += "api"
		}
		if n > len(labels) {
			name += fmt.Sprint(n - len(labels))
		}
		if !taken(name) {
			return name
		}
	}
}

// Title returns a name with its first letter in upper case.
func Title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// Camel returns the name of a controller, such as pod-counter, as a Go name: PodCounter.
func Camel(name string) string {
	var camel strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		if part != "" {
			camel.WriteString(Title(part))
		}
	}
	return camel.String()
}

// Variable returns the name of a Go variable for an object of a kind. used are the names that its scope has.
func Variable(kind string, used ...string) string {
	n := 1 // the capitals that begin it: HTTPRoute is httpRoute
	for n < len(kind) && isUpper(kind[n]) && (n+1 == len(kind) || isUpper(kind[n+1])) {
		n++
	}
	name := strings.ToLower(kind[:n]) + kind[n:]
	for _, taken := range append(used, predeclared...) {
		if name == taken {
			return name + "Object"
		}
	}
	if token.IsKeyword(name) {
		return name + "Object"
	}
	return name
}

func startsWithLetter(name string) bool { return name != "" && name[0] >= 'a' && name[0] <= 'z' }

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

var (
	camelCase  = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	apiVersion = regexp.MustCompile(`^v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?$`)

	// What register-gen declares in the package of an API version.
	reserved = map[string]bool{
		"AddToScheme": true, "GroupName": true, "GroupVersion": true, "Kind": true, "Resource": true,
		"Install": true, "SchemeBuilder": true, "SchemeGroupVersion": true,
	}

	// Names that a variable would hide.
	predeclared = []string{
		"any", "append", "bool", "byte", "cap", "clear", "close", "comparable", "complex", "copy", "delete", "error",
		"false", "float32", "float64", "imag", "init", "int", "iota", "len", "main", "make", "max", "min", "new", "nil",
		"panic", "print", "println", "real", "recover", "rune", "string", "true", "uint",
	}
)
