// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// The recipes are stored as <module>.mod and <module>.sum: a folder that
// holds a file named go.mod is a module of its own and cannot be embedded.
//
//go:embed recipes/*.mod recipes/*.sum
var recipes embed.FS

// write stores the recipe's go.mod and go.sum in dir, which it creates.
func (r recipe) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create work folder: %w", err)
	}
	for _, suffix := range []string{"mod", "sum"} {
		data, err := recipes.ReadFile("recipes/" + r.module + "." + suffix)
		if err != nil {
			return fmt.Errorf("read recipe: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, "go."+suffix), data, 0o644); err != nil {
			return fmt.Errorf("write recipe: %w", err)
		}
	}
	return nil
}

// key names the cache entry of everything that decides what the binaries of a
// Kubernetes version are: recipes, flags, platform and Go version.
//
// The Go version is the one that compiled this package, not the one of the go
// command in PATH: asking that one costs a process at every start, and a
// machine that only uses a filled cache would need a toolchain.
func key(version string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH, version, EtcdVersion, KwokVersion)
	for _, c := range All() {
		r, err := c.recipe(version)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, c, c.files(), r.pkg, buildFlags(r))
		for _, suffix := range []string{"mod", "sum"} {
			data, err := recipes.ReadFile("recipes/" + r.module + "." + suffix)
			if err != nil {
				return "", fmt.Errorf("read recipe: %w", err)
			}
			fmt.Fprintf(sum, "%d\n%s", len(data), data)
		}
	}
	return fmt.Sprintf("%s-%s-%s-%x", version, runtime.GOOS, runtime.GOARCH, sum.Sum(nil)[:6]), nil
}

// buildFlags returns the flags of go build, except for the output.
func buildFlags(r recipe) []string {
	return []string{"-trimpath", "-ldflags", r.ldflags}
}
