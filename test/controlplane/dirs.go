// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// dirs are the folders of one control plane.
type dirs struct {
	root      string // logs, and what follows
	state     string // everything that must not stay
	temporary bool   // root is ours to remove
}

// makeDirs creates the folders, or none.
func makeDirs(root string) (_ *dirs, err error) {
	d := &dirs{root: root}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.remove())
		}
	}()
	if root == "" {
		d.temporary = true
		if d.root, err = os.MkdirTemp("", "lanyard-controlplane-"); err != nil {
			return nil, fmt.Errorf("create folder for logs and state: %w", err)
		}
	}
	// The components get paths, and run elsewhere.
	if d.root, err = filepath.Abs(d.root); err != nil {
		return nil, fmt.Errorf("find folder for logs and state: %w", err)
	}
	if err := os.MkdirAll(d.root, 0o755); err != nil {
		return nil, fmt.Errorf("create folder for logs and state: %w", err)
	}
	if d.state, err = os.MkdirTemp(d.root, "state-"); err != nil {
		return nil, fmt.Errorf("create folder for state: %w", err)
	}
	for _, name := range []string{"bin", "certs", "data"} {
		if err := os.Mkdir(filepath.Join(d.state, name), 0o700); err != nil {
			return nil, fmt.Errorf("create folder for state: %w", err)
		}
	}
	return d, nil
}

func (d *dirs) log(c assets.Component) string     { return filepath.Join(d.root, string(c)+".log") }
func (d *dirs) path(name string) string           { return filepath.Join(d.state, name) }
func (d *dirs) pidFile(c assets.Component) string { return d.path(string(c) + ".pid") }

// remove removes the state, and the logs unless the caller named a folder.
func (d *dirs) remove() error {
	if d == nil {
		return nil
	}
	path := d.state // empty if it could not be created
	if d.temporary {
		path = d.root
	}
	if path == "" {
		return nil
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("remove the control plane's files: %w", err)
	}
	return nil
}

// pids returns the processes that have been started and not been seen to end.
func (d *dirs) pids() []int {
	files, err := filepath.Glob(d.pidFile("*"))
	if err != nil { // only for a bad pattern
		return nil
	}
	var all []int
	for _, file := range files {
		if pid := pidIn(file); pid > 0 {
			all = append(all, pid)
		}
	}
	return all
}

// pidIn returns the process that a file names, or 0. The file is empty while the component is just being started.
func pidIn(file string) int {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid <= 1 {
		return 0
	}
	return pid
}

// kill kills every component that is left. Each leads a process group, so that
// a process which has taken over the number of one that is gone is not hit
// unless it leads a group too.
func (d *dirs) kill() {
	for _, pid := range d.pids() {
		// The error would say that it is gone, which is what is wanted.
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// forget notes that a component has ended.
func (d *dirs) forget(c assets.Component) error {
	err := os.Remove(d.pidFile(c))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove pid file: %w", err)
	}
	return nil
}
