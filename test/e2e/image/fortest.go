// SPDX-License-Identifier: Apache-2.0

package image

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// RequireVariable is the environment variable that, set to 1, makes tests fail that would
// otherwise be skipped because this machine cannot build an image.
const RequireVariable = "LANYARD_REQUIRE_IMAGE"

// BuilderForTest returns a Builder that is closed when the test ends. Without one the test is
// skipped, or fails if [RequireVariable] says so.
func BuilderForTest(tb testing.TB) Builder {
	tb.Helper()
	builder, err := Find(tb.Context(), tb.TempDir())
	if errors.Is(err, ErrNoBuilder) && os.Getenv(RequireVariable) != "1" {
		tb.Skipf("NOT SHOWN here: that the Dockerfile builds and the image runs, without a shell and not as root. "+
			"Install buildah (apt-get install buildah) or start a Docker engine to see it: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := builder.Close(context.WithoutCancel(tb.Context())); err != nil {
			tb.Error(err)
		}
	})
	return builder
}

// ForTest returns the sample controller's image, built as `make image` builds it.
func ForTest(tb testing.TB, builder Builder) *Image {
	tb.Helper()
	image, err := Build(tb.Context(), builder, Repo(tb), Binary(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return image
}

// Binary returns the path of the sample controller's binary, built by `make image-binary`, so
// that what is tested is what users get.
func Binary(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	cmd := exec.CommandContext(tb.Context(), "make", "--no-print-directory", "image-binary",
		"IMAGE_ARCH="+runtime.GOARCH, "BIN="+dir)
	cmd.Dir = Repo(tb)
	// Not the flags and the job server of a make that runs this test.
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	if _, err := output(cmd); err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(dir, "linux-"+runtime.GOARCH, filepath.Base(Entrypoint))
}

// Repo returns the repository's root.
func Repo(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "Dockerfile")); err == nil {
			return dir
		}
	}
	tb.Fatal("there is no Dockerfile in this folder or above it")
	return ""
}
