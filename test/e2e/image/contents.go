// SPDX-License-Identifier: Apache-2.0

package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Contents is what an image consists of.
type Contents struct {
	// User is who its process runs as.
	User string
	// Entrypoint is the command it runs.
	Entrypoint []string
	// Cmd are the default arguments.
	Cmd []string
	// Labels are its annotations.
	Labels map[string]string
	// Layers has the files of each layer, lowest first.
	Layers [][]tar.Header
}

// Contents returns what the image consists of.
func (i *Image) Contents(ctx context.Context) (*Contents, error) {
	dir, err := os.MkdirTemp("", "lanyard-image-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	file := filepath.Join(dir, "image.tar")
	if err := i.builder.save(ctx, i.ref, file); err != nil {
		return nil, fmt.Errorf("save the image: %w", err)
	}
	parts, err := members(file)
	if err != nil {
		return nil, fmt.Errorf("read the saved image: %w", err)
	}
	return parse(parts)
}

// members returns the files in an archive.
func members(file string) (map[string][]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parts := make(map[string][]byte)
	for r := tar.NewReader(f); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, err
		}
		if parts[header.Name], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
}

// parse reads the format of `docker save`: a manifest that names a configuration and layers.
func parse(parts map[string][]byte) (*Contents, error) {
	var manifest []struct {
		Config string
		Layers []string
	}
	if err := json.Unmarshal(parts["manifest.json"], &manifest); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if len(manifest) != 1 {
		return nil, fmt.Errorf("manifest: %d images, want one", len(manifest))
	}
	var image struct{ Config Contents }
	if err := json.Unmarshal(parts[manifest[0].Config], &image); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	for _, name := range manifest[0].Layers {
		files, err := headers(parts[name])
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", name, err)
		}
		image.Config.Layers = append(image.Config.Layers, files)
	}
	return &image.Config, nil
}

// headers returns the headers of the files in a layer, compressed or not.
func headers(layer []byte) ([]tar.Header, error) {
	var from io.Reader = bytes.NewReader(layer)
	if bytes.HasPrefix(layer, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(from)
		if err != nil {
			return nil, err
		}
		from = unzipped
	}
	var files []tar.Header
	for r := tar.NewReader(from); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		files = append(files, *header)
	}
}
