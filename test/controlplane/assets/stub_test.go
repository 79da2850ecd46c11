// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stub is a go command that builds at once, and the cache it builds into.
type stub struct {
	dir      string
	options  Options
	progress *buffer
}

func newStub(t *testing.T) *stub {
	t.Helper()
	t.Setenv(EnvAssets, "")
	s := &stub{dir: t.TempDir(), progress: &buffer{}}
	s.options = Options{CacheDir: filepath.Join(s.dir, "cache"), Go: filepath.Join(s.dir, "go"), Progress: s.progress}
	s.script(t, `echo "binary of $package" > "$out"`)
	return s
}

// script sets what "go build" does. The script sees where to write ($out), the
// package, and the stub's folder ($stub).
func (s *stub) script(t *testing.T, build string) {
	t.Helper()
	text := `#!/bin/sh
stub='` + s.dir + `'
if [ "$1" = list ]; then echo "$stub/module"; exit; fi
out="$3"
for package; do :; done
echo "$package" >> "$stub/built"
{ echo "$@"; env; cat go.mod; } >> "$stub/calls"
` + build + "\n"
	// See writeLauncher in package controlplane.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(s.options.Go, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

func (s *stub) ensure(t *testing.T, components ...Component) string {
	t.Helper()
	dir, err := Ensure(t.Context(), s.options, components...)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// built returns the packages built so far, in order.
func (s *stub) built(t *testing.T) []string { return strings.Fields(s.read(t, "built")) }

// calls returns the arguments, environment and go.mod of all builds so far.
func (s *stub) calls(t *testing.T) string { return s.read(t, "calls") }

func (s *stub) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func wantOnlyLock(t *testing.T, dir string) {
	t.Helper()
	if diff := cmp.Diff([]string{"lock"}, names(t, dir)); diff != "" {
		t.Errorf("the build left something (-want +got):\n%s", diff)
	}
}

func overwrite(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, bytes.Repeat([]byte("x"), len(data)), 0o700)
}

// waitFor returns when the file exists, or after ten seconds.
func waitFor(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
	t.Errorf("%s does not appear", path)
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}
