// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

func TestAssetsPrintsTheFolderAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(assets.EnvAssets, dir)
	for _, c := range assets.Core() {
		if err := os.WriteFile(filepath.Join(dir, string(c)), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"assets"}, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != dir+"\n" {
		t.Errorf("printed %q, want %q", got, dir+"\n")
	}
	if err := run(t.Context(), []string{"assets", "-nodes"}, &out); !errors.Is(err, assets.ErrNotInAssets) {
		t.Errorf("with -nodes, error = %v, want ErrNotInAssets", err)
	}
}

func TestAnUnknownCommandIsAnError(t *testing.T) {
	err := run(t.Context(), []string{"destroy"}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), `"destroy"`) {
		t.Errorf("error = %v", err)
	}
}
