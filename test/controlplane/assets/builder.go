// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// builder fills one entry of the cache. Its owner holds the entry's lock.
type builder struct {
	goCommand string
	dir       string // the entry
	work      string // temporary folder in the entry, so that a rename suffices
	version   string // of Kubernetes
	say       *progress
}

const workPrefix = "work-"

func newBuilder(o Options, dir string, say *progress) (*builder, error) {
	name := o.Go
	if name == "" {
		name = "go"
	}
	goCommand, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("%w: install Go (https://go.dev/dl), or set %s to a folder with binaries: %w",
			ErrNoToolchain, EnvAssets, err)
	}
	if goCommand, err = filepath.Abs(goCommand); err != nil { // it runs elsewhere
		return nil, fmt.Errorf("find the go command: %w", err)
	}
	// Left over by builds that were killed; under the lock they have no owner.
	old, err := filepath.Glob(filepath.Join(dir, workPrefix+"*"))
	if err != nil {
		return nil, fmt.Errorf("look for old work folders: %w", err)
	}
	for _, path := range old {
		if err := os.RemoveAll(path); err != nil {
			return nil, fmt.Errorf("remove old work folder: %w", err)
		}
	}
	work, err := os.MkdirTemp(dir, workPrefix)
	if err != nil {
		return nil, fmt.Errorf("create work folder: %w", err)
	}
	return &builder{goCommand: goCommand, dir: dir, work: work, version: o.kubernetes(), say: say}, nil
}

// close removes the work folder.
func (b *builder) close() error {
	if err := os.RemoveAll(b.work); err != nil {
		return fmt.Errorf("remove work folder: %w", err)
	}
	return nil
}

// buildAll builds the components which have a reason in stale, in the order of
// components.
func (b *builder) buildAll(ctx context.Context, components []Component, stale map[Component]error) error {
	todo := slices.DeleteFunc(slices.Clone(components), func(c Component) bool { return stale[c] == nil })
	if err := b.announce(todo, stale); err != nil {
		return err
	}
	for i, c := range todo {
		began := time.Now()
		label := fmt.Sprintf("[%d/%d] building %s", i+1, len(todo), c)
		if err := b.say.during(label, func() error { return b.build(ctx, c) }); err != nil {
			return fmt.Errorf("build %s: %w", c, err)
		}
		b.say.say("[%d/%d] built %s in %s", i+1, len(todo), c, time.Since(began).Round(100*time.Millisecond))
	}
	return nil
}

func (b *builder) announce(todo []Component, stale map[Component]error) error {
	var typical time.Duration
	for _, c := range todo {
		r, err := c.recipe(b.version)
		if err != nil {
			return err
		}
		typical += r.typical
		if !errors.Is(stale[c], errNeverBuilt) {
			b.say.say("%s in the cache is broken and is built again: %v", c, stale[c])
		}
	}
	minutes := int(typical.Round(time.Minute).Minutes())
	b.say.say("%d to build for Kubernetes %s, into %s", len(todo), b.version, b.dir)
	b.say.say("this takes about %d min on two cores the first time; the result is cached", max(1, minutes))
	return nil
}

// build builds one component and moves it into the entry.
func (b *builder) build(ctx context.Context, c Component) error {
	r, err := c.recipe(b.version)
	if err != nil {
		return err
	}
	module := filepath.Join(b.work, r.module)
	if err := r.write(module); err != nil {
		return err
	}
	out := filepath.Join(b.work, "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("create work folder: %w", err)
	}
	args := append([]string{"build", "-o", filepath.Join(out, string(c))}, buildFlags(r)...)
	if _, err := b.run(ctx, module, append(args, r.pkg)...); err != nil {
		return err
	}
	if c == Kwok {
		if err := b.collectStages(ctx, module, filepath.Join(out, StagesFile)); err != nil {
			return err
		}
	}
	return install(out, b.dir, c)
}

// environment is what the go command runs with: the user's settings, less
// those that would build something else than the recipe says.
func (b *builder) environment() []string {
	return append(os.Environ(),
		"GOWORK=off",
		"GOFLAGS=-mod=readonly", // not empty: that would mean the ones of go env -w
		"GOOS="+runtime.GOOS,
		"GOARCH="+runtime.GOARCH,
		"GOTMPDIR="+b.work, // so that a killed build leaves nothing elsewhere
	)
}
