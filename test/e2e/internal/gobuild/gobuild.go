// SPDX-License-Identifier: Apache-2.0

// Package gobuild builds the programs of the repository that tests run as processes.
package gobuild

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
)

// Program builds a package of one of the repository's modules, such as "." of "sample-controller", into a file. flags
// are those of go build.
func Program(ctx context.Context, root, module, pkg, file string, flags ...string) error {
	args := slices.Concat([]string{"build", "-C", filepath.Join(root, module), "-o", file}, flags, []string{pkg})
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("build %s of %s: %w\n%s", pkg, module, err, out)
	}
	return nil
}

// Race returns the flag for the race detector if this process has it.
func Race() []string {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return []string{"-race"}
	}
	return nil
}
