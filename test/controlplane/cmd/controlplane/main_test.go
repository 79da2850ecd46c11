// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
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

func TestAnUnknownVersionIsAnErrorThatListsThoseThereAre(t *testing.T) {
	for _, command := range [][]string{{"assets", "-version", "help"}, {"up", "-version", "help"}} {
		err := run(t.Context(), command, &bytes.Buffer{})
		if !errors.Is(err, assets.ErrUnknownVersion) || !strings.Contains(err.Error(), "v1.37.2") {
			t.Errorf("%v: error = %v", command, err)
		}
	}
}

func TestAnUnknownCommandIsAnError(t *testing.T) {
	err := run(t.Context(), []string{"destroy"}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), `"destroy"`) {
		t.Errorf("error = %v", err)
	}
}

func TestControllersAreTheDefaultOnesAFullListOrMore(t *testing.T) {
	if got := controllerNames(""); got != nil {
		t.Errorf("without the flag: %q", got)
	}
	if got := controllerNames("a,b"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("a,b: %q", got)
	}
	want := append(controlplane.DefaultControllers(), "a", "b")
	if got := controllerNames("+a,b"); !slices.Equal(got, want) {
		t.Errorf("+a,b: %q, want %q", got, want)
	}
}
