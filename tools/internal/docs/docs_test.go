// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// project is the project that `lanyard init` makes, as data of a test. Another test compiles it.
const project = "cmd/lanyard/internal/layout/testdata/tree.txtar"

// files returns the files of the repository, but those that tests have as data.
func files(t *testing.T, pattern string) (paths []string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", pattern)
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		if _, err := os.Stat(filepath.Join(root, name)); err == nil && !strings.Contains(name, "testdata/") {
			paths = append(paths, name)
		}
	}
	if len(paths) == 0 {
		t.Fatalf("git finds no %s", pattern)
	}
	return paths
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func pages(t *testing.T) map[string]*Page {
	t.Helper()
	all := map[string]*Page{}
	for _, name := range files(t, "*.md") {
		all[name] = Parse(name, read(t, name))
	}
	return all
}

// TestTheCodeOfThePagesIsCompiled because it is the same as that of a Go file, and go vet compiles all of these.
func TestTheCodeOfThePagesIsCompiled(t *testing.T) {
	ignored := regexp.MustCompile(`(?m)^//go:build .*\bignore\b`)
	compiled := append(files(t, "*.go"), project)
	for _, page := range pages(t) {
		for _, block := range page.Blocks {
			switch {
			case block.Source == "" && block.Language != "go":
				continue
			case block.Source == "":
				t.Errorf("%s:%d: the comment above a block of Go names the file that it is taken from: "+
					"<!-- the same as … in FILE -->", page.Path, block.Line)
				continue
			case block.Language == "go" && !slices.Contains(compiled, block.Source):
				t.Errorf("%s:%d: %s is no Go file of the repository", page.Path, block.Line, block.Source)
				continue
			}
			content := string(read(t, block.Source))
			if block.Language == "go" && ignored.MatchString(content) {
				t.Errorf("%s:%d: nothing compiles %s", page.Path, block.Line, block.Source)
			}
			if missing := Missing(block.Text, content); missing != "" {
				t.Errorf("%s:%d: %s does not have this:\n%s", page.Path, block.Line, block.Source, missing)
			}
		}
	}
}

// TestTheLinksOfThePagesLeadSomewhere checks files and headings of the repository, and nothing outside of it.
func TestTheLinksOfThePagesLeadSomewhere(t *testing.T) {
	all := pages(t)
	for _, page := range all {
		for _, link := range page.Links {
			to, err := url.Parse(link.To)
			if err != nil {
				t.Errorf("%s:%d: %v", page.Path, link.Line, err)
				continue
			}
			if to.IsAbs() || to.Host != "" {
				continue
			}
			name := page.Path
			if to.Path != "" {
				name = path.Join(path.Dir(page.Path), to.Path)
			}
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s:%d: there is no %s", page.Path, link.Line, name)
				continue
			}
			if target := all[name]; target != nil && to.Fragment != "" && !target.Anchors[to.Fragment] {
				t.Errorf("%s:%d: %s has no heading #%s", page.Path, link.Line, name, to.Fragment)
			}
		}
	}
}

// TestThePagesThatGoFilesNameAreThere, with their headings.
func TestThePagesThatGoFilesNameAreThere(t *testing.T) {
	all := pages(t)
	named := regexp.MustCompile(`\bdocs/[a-z/-]+\.md(?:#[a-z0-9-]+)?`)
	for _, file := range files(t, "*.go") {
		for _, found := range named.FindAllString(string(read(t, file)), -1) {
			name, anchor, _ := strings.Cut(found, "#")
			switch page := all[name]; {
			case page == nil:
				t.Errorf("%s names %s, which is not there", file, name)
			case anchor != "" && !page.Anchors[anchor]:
				t.Errorf("%s names %s, which has no heading #%s", file, name, anchor)
			}
		}
	}
}

// TestEachPageOfTheDocsIsInTheirTableOfContents, so that a newcomer finds it.
func TestEachPageOfTheDocsIsInTheirTableOfContents(t *testing.T) {
	all := pages(t)
	contents := all["docs/README.md"]
	if contents == nil {
		t.Fatal("there is no docs/README.md")
	}
	var linked []string
	for _, link := range contents.Links {
		name, _, _ := strings.Cut(link.To, "#")
		linked = append(linked, path.Join("docs", name))
	}
	for name := range all {
		if strings.HasPrefix(name, "docs/") && name != "docs/README.md" && !slices.Contains(linked, name) {
			t.Errorf("docs/README.md does not lead to %s", name)
		}
	}
}
