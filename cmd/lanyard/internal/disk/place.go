// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// CheckEmpty returns an error if dir is anything but a folder that is missing, or empty, or has nothing but .git.
func CheckEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look into %s: %w", dir, err)
	}
	for _, entry := range entries {
		if entry.Name() != ".git" {
			return fmt.Errorf("%s is not empty: it has %s; name a new or empty folder with --dir", dir, entry.Name())
		}
	}
	return nil
}

// Beside makes a folder beside dir, in which something can be made that [Move] then puts in the place of dir. The
// folders above dir have to be there.
func Beside(dir string) (string, error) {
	made, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-")
	if err != nil {
		return "", fmt.Errorf("make a folder beside %s: %w", dir, err)
	}
	return made, os.Chmod(made, 0o755) //nolint:gosec // it becomes the project
}

// Move moves the folder from, which is removed, or what is in it, to the folder to. If that exists, it stays the same
// folder, in which a shell may be. If something cannot be moved, all is moved back.
func Move(from, to string) (err error) {
	if _, err := os.Stat(to); errors.Is(err, os.ErrNotExist) {
		return os.Rename(from, to)
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	var moved []string
	for _, entry := range entries {
		if err := os.Rename(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())); err != nil {
			errs := []error{err}
			for _, name := range moved {
				errs = append(errs, os.Rename(filepath.Join(to, name), filepath.Join(from, name)))
			}
			return errors.Join(errs...)
		}
		moved = append(moved, entry.Name())
	}
	return os.Remove(from)
}
