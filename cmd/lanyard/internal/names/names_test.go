// SPDX-License-Identifier: Apache-2.0

package names_test

import (
	"testing"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/names"
)

func TestAProjectIsCalledAfterItsModuleWithoutTheMajorVersion(t *testing.T) {
	for module, want := range map[string]string{
		"example.com/widget-operator": "widget-operator", "example.com/Widget_Operator/v2": "widget-operator",
		"example.com": "example-com",
	} {
		if got := names.Project(module); got != want {
			t.Errorf("%s: %s, want %s", module, got, want)
		}
	}
}

func TestAGroupHasAFolderOfItsOwn(t *testing.T) {
	taken := func(name string) bool { return name == "shop" }
	for group, want := range map[string]string{
		"billing.example.com": "billing", "my-billing.example.com": "mybilling", "3scale.example.com": "g3scale",
		"core.example.com": "coreexample", "meta.example.com": "metaexample", "internal.example.com": "internalapi",
		"shop.example.com": "shopexample", "func.example.com": "func",
	} {
		if got := names.GroupFolder(group, taken); got != want {
			t.Errorf("%s: %s, want %s", group, got, want)
		}
	}
}

func TestVariablesHideNothing(t *testing.T) {
	for kind, want := range map[string]string{
		"Widget": "widget", "HTTPRoute": "httpRoute", "URL": "url", "Type": "typeObject", "String": "stringObject",
		"Controller": "controllerObject", "A": "a", "Route53": "route53",
	} {
		if got := names.Variable(kind, "controller"); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

func TestPluralsAreThoseOfTheGenerators(t *testing.T) {
	for kind, want := range map[string]string{
		"Widget": "widgets", "Policy": "policies", "Gateway": "gateways", "Box": "boxes", "Switch": "switches", "Endpoints": "endpoints",
	} {
		if got := names.Plural(kind); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}
