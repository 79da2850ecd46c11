// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// EnvAssets is the variable which, when set, names a folder with binaries to
// use instead of building any.
const EnvAssets = "KUBEBUILDER_ASSETS"

var (
	// ErrNotInAssets says that EnvAssets is set and its folder lacks a binary.
	ErrNotInAssets = errors.New("binary is missing from " + EnvAssets)
	// ErrNoToolchain says that something has to be built without a go command.
	ErrNoToolchain = errors.New("building the control plane needs the go command")
)

// Options says where binaries are kept and how they are built. The zero value
// works.
type Options struct {
	// Kubernetes is the version to build: one of KubernetesVersions, each with
	// an entry of its own in the cache. Default: KubernetesVersion.
	Kubernetes string
	// CacheDir is the folder that holds the entries.
	// Default: lanyard/controlplane below os.UserCacheDir.
	CacheDir string
	// Progress is told what is being built, in lines of text; nothing is
	// written when nothing has to be built. Default: os.Stderr.
	Progress io.Writer
	// Go is the go command. Default: the one in PATH.
	Go string
	// Thorough hashes every binary that is already there, which takes a second
	// or two; otherwise only those are hashed whose time has changed.
	Thorough bool
}

// Ensure returns the folder that holds the components, and builds those which
// are not there yet or are broken; without components, it means Core. Building
// all takes several minutes the first time, and is told to Options.Progress.
//
// If the variable KUBEBUILDER_ASSETS is set, nothing is built: Ensure returns
// that folder, whatever version it holds, or ErrNotInAssets if a component is
// not in it. A version that cannot be built is ErrUnknownVersion in any case.
//
// When ctx ends, the build is stopped, what was finished stays in the cache,
// and the error wraps the cause. The folder is returned also when a build
// failed.
func Ensure(ctx context.Context, o Options, components ...Component) (string, error) {
	if len(components) == 0 {
		components = Core()
	}
	if err := checkVersion(o.kubernetes()); err != nil {
		return "", err
	}
	if dir := os.Getenv(EnvAssets); dir != "" {
		return override(dir, components)
	}
	dir, err := o.entry()
	if err != nil {
		return "", err
	}
	if stale(dir, components, o.Thorough) == nil {
		return dir, nil
	}
	return dir, o.build(ctx, dir, components)
}

func override(dir string, components []Component) (string, error) {
	dir, err := filepath.Abs(dir) // the components run elsewhere
	if err != nil {
		return "", fmt.Errorf("find the folder named by %s: %w", EnvAssets, err)
	}
	for _, c := range components {
		for _, name := range c.files() {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				continue
			}
			return "", fmt.Errorf("%w: no file %s: put it there, or unset %s to have everything built",
				ErrNotInAssets, path, EnvAssets)
		}
	}
	return dir, nil
}

func (o Options) kubernetes() string { return cmp.Or(o.Kubernetes, KubernetesVersion) }

// entry returns the folder of the cache in which the binaries are, or will be.
func (o Options) entry() (string, error) {
	root := o.CacheDir
	if root == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find cache folder (set HOME or XDG_CACHE_HOME, or name a folder in Options.CacheDir): %w", err)
		}
		root = filepath.Join(user, "lanyard", "controlplane")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return "", fmt.Errorf("find cache folder: %w", err)
	}
	name, err := key(o.kubernetes())
	if err != nil {
		return "", err
	}
	return filepath.Join(root, name), nil
}

// stale returns the components which have to be built, each with the reason;
// nil when there are none.
func stale(dir string, components []Component, thorough bool) map[Component]error {
	var found map[Component]error
	for _, c := range components {
		if err := verify(dir, c, thorough); err != nil {
			if found == nil {
				found = map[Component]error{}
			}
			found[c] = err
		}
	}
	return found
}

// build builds what is stale while it holds the entry's lock.
func (o Options) build(ctx context.Context, dir string, components []Component) (err error) {
	say := &progress{w: o.Progress, every: 5 * time.Second}
	if say.w == nil {
		say.w = os.Stderr
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create cache folder (Options.CacheDir or XDG_CACHE_HOME can name another): %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(dir, "lock"), say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()

	// Asked again: whoever held the lock may have built it all.
	work := stale(dir, components, o.Thorough)
	if work == nil {
		return nil
	}
	b, err := newBuilder(o, dir, say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return b.buildAll(ctx, components, work)
}

// lock waits for the file lock until ctx ends, and returns what releases it.
func lock(ctx context.Context, path string, say *progress) (unlock func() error, err error) {
	l := flock.New(path)
	held, err := l.TryLock()
	if err == nil && !held {
		err = say.during("waiting for another process that is building ("+path+")", func() error {
			_, err := l.TryLockContext(ctx, 100*time.Millisecond)
			return err
		})
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if err != nil {
		return nil, fmt.Errorf("lock control plane cache: %w", errors.Join(err, l.Close()))
	}
	return l.Unlock, nil
}
