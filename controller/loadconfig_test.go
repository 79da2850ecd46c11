// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/controller"
)

const kubeconfig = `{apiVersion: v1, kind: Config, current-context: c,
contexts: [{name: c, context: {cluster: c}}], clusters: [{name: c, cluster: {server: "http://server.invalid"}}]}`

// TestLoadConfigNamesTheFileThatIsMissingOrWrong has KUBECONFIG as a shell may have set it.
func TestLoadConfigNamesTheFileThatIsMissingOrWrong(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty, good, broken := file("empty", ""), file("good", kubeconfig), file("broken", "{")
	missing, absent := filepath.Join(dir, "missing"), filepath.Join(dir, "absent")
	for name, test := range map[string]struct {
		kubeconfig []string
		path       string
		says       []string // nothing: no error
	}{
		"missing":              {[]string{missing}, "", []string{missing, "does not exist", "KUBECONFIG"}},
		"two missing":          {[]string{missing, absent}, "", []string{missing, absent, "does not exist"}},
		"missing and empty":    {[]string{"", empty, missing}, "", []string{missing + ", which does not exist"}},
		"empty":                {[]string{empty}, "", []string{empty, "names no cluster"}},
		"broken":               {[]string{broken}, "", []string{broken}},
		"good":                 {[]string{good}, "", nil},
		"missing and good":     {[]string{missing, good}, "", nil}, // as kubectl has it
		"missing, by argument": {[]string{good}, missing, []string{missing}},
		"empty, by argument":   {nil, empty, []string{empty, "names no cluster"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			t.Setenv("KUBECONFIG", strings.Join(test.kubeconfig, string(filepath.ListSeparator)))
			config, err := controller.LoadConfig(test.path)
			if (err == nil) != (len(test.says) == 0) || err == nil && config.Host != "http://server.invalid" {
				t.Fatalf("%v, %v", config, err)
			}
			for _, says := range test.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%q does not say %q", err, says)
				}
			}
		})
	}
}
