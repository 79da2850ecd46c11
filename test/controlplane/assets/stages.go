// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// errNoStages: the module's layout is not the one of the pinned version.
var errNoStages = errors.New("the kwok module has no stages where they are expected")

// collectStages writes the stages that make nodes and pods ready at once to
// path. They are taken from the kwok module itself, so they always fit the
// binary.
func (b *builder) collectStages(ctx context.Context, module, path string) error {
	dir, err := b.run(ctx, module, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok")
	if err != nil {
		return fmt.Errorf("find the kwok module: %w", err)
	}
	var all bytes.Buffer
	for _, stage := range []string{"node/fast", "node/heartbeat-with-lease", "pod/fast"} {
		pattern := filepath.Join(dir, "kustomize", "stage", filepath.FromSlash(stage), "*.yaml")
		files, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("find stages: %w", err)
		}
		found := 0
		for _, file := range files {
			if filepath.Base(file) == "kustomization.yaml" {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("read stage: %w", err)
			}
			fmt.Fprintf(&all, "---\n%s\n", bytes.TrimSpace(data))
			found++
		}
		if found == 0 {
			return fmt.Errorf("%w: %s", errNoStages, pattern)
		}
	}
	if err := os.WriteFile(path, all.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write stages: %w", err)
	}
	return nil
}
