// SPDX-License-Identifier: Apache-2.0

// Package image builds the sample controller's container image from the repository's
// Dockerfile, looks into it and runs it: with buildah, which needs no daemon, or with Docker.
package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
)

// Entrypoint is the path of the controller in its image.
const Entrypoint = "/flunder-controller"

// Image is a built image; it exists until its Builder is closed.
type Image struct {
	builder Builder
	ref     string
}

var built atomic.Int64

// Build builds the Dockerfile in repo around a binary: one that `make image-binary` has made,
// for Linux and this machine's architecture. The build context is made anew from what the
// repository's .dockerignore admits, so builds do not depend on what else is in the tree.
func Build(ctx context.Context, builder Builder, repo, binary string) (*Image, error) {
	dir, err := os.MkdirTemp("", "lanyard-image-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	files := map[string]string{
		"Dockerfile":    filepath.Join(repo, "Dockerfile"),
		".dockerignore": filepath.Join(repo, ".dockerignore"),
		filepath.Join("bin", "linux-"+runtime.GOARCH, filepath.Base(Entrypoint)): binary,
	}
	for to, from := range files {
		if err := copyFile(filepath.Join(dir, to), from); err != nil {
			return nil, fmt.Errorf("make the build context: %w", err)
		}
	}

	// Process and count, because a Docker engine is shared with the rest of the machine.
	ref := fmt.Sprintf("localhost/lanyard-test:%d-%d", os.Getpid(), built.Add(1))
	if err := builder.build(ctx, ref, dir); err != nil {
		return nil, fmt.Errorf("build the image: %w", err)
	}
	return &Image{builder: builder, ref: ref}, nil
}

func copyFile(to, from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm())
}
