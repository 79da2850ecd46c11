// SPDX-License-Identifier: Apache-2.0

// Package project reads what a project has: its module, its kinds and its controllers. There is no file that lists
// them: the Go code does.
package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// Generate is the script of a project that makes what is generated.
const Generate = "tools/generate.sh"

// Project is a project on the disk.
type Project struct {
	Dir    string
	Module string
}

// Open finds the project that has a folder: the folder itself, or the next one around it with a go.mod.
func Open(dir string) (*Project, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for at := dir; ; at = filepath.Dir(at) {
		content, err := os.ReadFile(filepath.Join(at, "go.mod"))
		switch {
		case err == nil:
			return open(at, content)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("read the project in %s: %w", at, err)
		case at == filepath.Dir(at):
			return nil, fmt.Errorf("%s is in no project: there is no go.mod in it or above; make one with lanyard init", dir)
		}
	}
}

func open(dir string, goMod []byte) (*Project, error) {
	module := modfile.ModulePath(goMod)
	if module == "" {
		return nil, fmt.Errorf("%s has no line with the module's path", filepath.Join(dir, "go.mod"))
	}
	if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(Generate))); err != nil {
		return nil, fmt.Errorf("%s is no project that lanyard init has made: it has no %s", dir, Generate)
	}
	return &Project{Dir: dir, Module: module}, nil
}
