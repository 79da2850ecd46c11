// SPDX-License-Identifier: Apache-2.0

package layout_test

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/layout"
)

// TestTheComponentsAreThoseOfTheSample holds the components that a project has in common with config/ to what stands
// there, which is tested on a real API server. Comments, and the label of what the sample is a part of, may differ.
func TestTheComponentsAreThoseOfTheSample(t *testing.T) {
	names := strings.NewReplacer(
		"flunder-metrics-reader", "my-metrics-reader",
		"flunder-controller", "my",
		"sample-controller", "my", // the Lease
		"lanyard-system", "my-system",
	)
	files, err := layout.Project{Module: module, Name: "my", Go: "1.26.0"}.Files()
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	for _, file := range files {
		made[file.Path] = string(file.Content)
	}
	for _, component := range []string{"fence", "metrics", "monitor", "networkpolicy", "page", "secure"} {
		manifests, err := filepath.Glob(filepath.Join("../../../../config", component, "*.yaml"))
		if err != nil || len(manifests) == 0 {
			t.Fatalf("config/%s has no manifests: %v", component, err)
		}
		for _, manifest := range manifests {
			content, err := os.ReadFile(manifest)
			if err != nil {
				t.Fatal(err)
			}
			want := names.Replace(string(content))
			name := path.Join("config", component, filepath.Base(manifest))
			if name == "config/fence/policy_binding.yaml" {
				want, _, _ = strings.Cut(want, "\n---\n") // the second is for a kind that the sample alone has
			}
			got, ok := made[name]
			if !ok {
				t.Errorf("a project has no %s", name)
			} else if difference := cmp.Diff(plain(want), plain(got)); difference != "" {
				t.Errorf("%s of a project is not the sample's:\n%s", name, difference)
			}
		}
	}
}

// plain returns the lines of a manifest that have a meaning.
func plain(manifest string) (lines []string) {
	for line := range strings.Lines(manifest) {
		bare := strings.TrimSpace(line)
		if bare == "" || strings.HasPrefix(bare, "#") || strings.HasPrefix(bare, "app.kubernetes.io/part-of:") {
			continue
		}
		lines = append(lines, strings.TrimRight(line, "\n"))
	}
	return lines
}
