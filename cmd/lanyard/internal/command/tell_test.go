// SPDX-License-Identifier: Apache-2.0

package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/layout"
)

func TestInitTellsWhatDocsStartSays(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/start.md")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	o := &initOptions{out: &out}
	project := layout.Project{Name: "widget-operator"}
	kinds := []layout.Kind{{Kind: "Widget", Name: "Widget", Folder: "shop", Version: "v1alpha1"}}
	o.tell(filepath.Join(here(t), "widget-operator"), project, kinds)
	if !strings.Contains(string(page), out.String()) {
		t.Errorf("docs/start.md does not have what init tells:\n%s", out.String())
	}
	out.Reset()
	o.tell(here(t), project, kinds)
	if text := out.String(); !strings.HasPrefix(text, "The project widget-operator is in this folder.\n") || strings.Contains(text, "cd ") {
		t.Errorf("in this folder it tells:\n%s", text)
	}
}

func here(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
