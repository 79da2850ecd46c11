// SPDX-License-Identifier: Apache-2.0

package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// newProject writes a project with a kind whose script of generators does what a test says.
func newProject(t *testing.T, generate string) string {
	t.Helper()
	dir := t.TempDir()
	archive := txtar.Parse([]byte(strings.ReplaceAll(`
-- go.mod --
module example.com/shop/widget-operator
-- api/shop/v1alpha1/doc.go --
// +groupName=shop.example.com
package v1alpha1
-- api/shop/v1alpha1/widget_types.go --
package v1alpha1

// Widget is edited by its owner.
//
// +genclient
// +kubebuilder:resource:scope=Namespaced,path=gizmos
type Widget struct{}

// +genclient

// Gadget has its marker in a comment of its own.
type Gadget struct{}

type WidgetSpec struct{}
-- internal/controllers/widget.go --
package controllers

func SetUpWidget(m *controller.Manager) error { return nil }
-- tools/generate.sh --
#!/bin/sh
GENERATE
`, "GENERATE", generate)))
	for _, file := range archive.Files {
		to := filepath.Join(dir, file.Name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, file.Data, 0o700); err != nil { //nolint:gosec // one of them is a script
			t.Fatal(err)
		}
	}
	return dir
}

func TestAddSaysInOneLineWhatIsWrongAndLeavesTheProjectAsItWas(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"a kind that exists":           {[]string{"kind", "Widget"}, "the kind Widget exists: it is in api/shop/v1alpha1"},
		"one with a marker apart":      {[]string{"kind", "Gadget"}, "the kind Gadget exists"},
		"in another version":           {[]string{"kind", "Widget", "--version=v1"}, "exists in version v1alpha1"},
		"in another case":              {[]string{"kind", "WIDGET"}, "but for upper and lower case"},
		"with a plural that exists":    {[]string{"kind", "Gizmo"}, "has the plural gizmos already"},
		"with a spec's name":           {[]string{"kind", "WidgetSpec"}, "cannot be in one version"},
		"a controller that exists":     {[]string{"controller", "widget", "--for=v1/Pod"}, "the controller widget exists"},
		"a controller for nothing":     {[]string{"controller", "counter"}, "needs a kind, such as --for apps/v1/Deployment"},
		"for no kind":                  {[]string{"controller", "counter", "--for=Pod"}, "write it as GROUP/VERSION/KIND"},
		"for a kind that is not there": {[]string{"controller", "counter", "--for=apps/v1/Pod"}, "apps/v1/Pod is neither a kind of the project"},
		"for a kind of no objects":     {[]string{"controller", "counter", "--for=v1/ListOptions"}, "nor one of Kubernetes that can be watched"},
		"with a bad name":              {[]string{"controller", "Counter", "--for=v1/Pod"}, `controller "Counter"`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newProject(t, "exit 0")
			before := files(t, dir)
			_, err := run(t, dir, append([]string{"add"}, c.args...)...)
			assertLine(t, err, c.says)
			if after := files(t, dir); after != before {
				t.Errorf("there is something new:\n%s", after)
			}
		})
	}
}

func TestWhenTheGeneratorsFailNothingIsAdded(t *testing.T) {
	dir := newProject(t, `echo "widget_types.go:3:1: expected declaration" >&2; exit 1`)
	before := files(t, dir)
	_, err := run(t, dir, "add", "kind", "Invoice", "--group=billing.example.com", "--version=v1")
	assertLine(t, err, "generate: widget_types.go:3:1: expected declaration; the kind Invoice was not added")
	if after := files(t, dir); after != before {
		t.Errorf("there is something new:\n%s", after)
	}
}

func TestAFileInTheWayIsNotWrittenOver(t *testing.T) {
	dir := newProject(t, "exit 0")
	mine := filepath.Join(dir, "internal", "controllers", "sprocket.go")
	if err := os.WriteFile(mine, []byte("package controllers // mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	_, err := run(t, dir, "add", "kind", "Sprocket")
	assertLine(t, err, "sprocket.go exists, and is not written over")
	if after := files(t, dir); after != before {
		t.Errorf("there is something new:\n%s", after)
	}
	if content, err := os.ReadFile(mine); err != nil || !strings.HasSuffix(string(content), "// mine\n") { //nolint:gosec // the test's own
		t.Errorf("the file has %q, %v", content, err)
	}
}

func TestOutsideOfAProjectAddSaysSo(t *testing.T) {
	_, err := run(t, t.TempDir(), "add", "kind", "Widget")
	assertLine(t, err, "is in no project")
	dir := newProject(t, "exit 0")
	if err := os.Remove(filepath.Join(dir, "tools", "generate.sh")); err != nil {
		t.Fatal(err)
	}
	_, err = run(t, dir, "add", "kind", "Sprocket")
	assertLine(t, err, "is no project that lanyard init has made")
}

func TestAddWorksInAFolderBelowAndListsWhatItWrote(t *testing.T) {
	dir := newProject(t, "exit 0")
	out, err := run(t, filepath.Join(dir, "api"), "add", "kind", "Sprocket")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"api/shop/v1alpha1/sprocket_types.go", "internal/controllers/sprocket.go"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil || !strings.Contains(out, file) {
			t.Errorf("%s: %v; it said\n%s", file, err, out)
		}
	}
}

func TestAKindOfANameThatAnotherGroupHasGetsAControllerOfItsOwn(t *testing.T) {
	dir := newProject(t, "exit 0")
	if _, err := run(t, dir, "add", "kind", "Widget", "--group=billing.example.com"); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "internal", "controllers", "billingwidget.go")) //nolint:gosec // the test's own
	if err != nil || !strings.Contains(string(content), "func SetUpBillingWidget(") {
		t.Errorf("no SetUpBillingWidget: %v", err)
	}
}

func TestAControllerOfAKindOfTheProjectTakesItsTypesFromThere(t *testing.T) {
	dir := newProject(t, "exit 0")
	if _, err := run(t, dir, "add", "controller", "pricer", "--for=shop.example.com/v1alpha1/Widget"); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "internal", "controllers", "pricer.go")) //nolint:gosec // the test's own
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`shopv1alpha1 "example.com/shop/widget-operator/api/shop/v1alpha1"`, "resources=gizmos,"} {
		if !strings.Contains(string(content), want) {
			t.Errorf("it has no %s:\n%s", want, content)
		}
	}
}
