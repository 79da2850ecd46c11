// SPDX-License-Identifier: Apache-2.0

// Package disk puts files in place, all or none.
package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/layout"
)

// Write writes new files into a folder. It writes over none: if one exists, or cannot be written, none is left. undo
// removes all of them, with the folders that were made for them.
func Write(dir string, files []layout.File) (undo func() error, err error) {
	w := &written{}
	for _, file := range files {
		if err := w.write(filepath.Join(dir, filepath.FromSlash(file.Path)), file); err != nil {
			return nil, errors.Join(err, w.undo())
		}
	}
	return w.undo, nil
}

// written is what there was not before, in the order in which it was made.
type written struct{ paths []string }

func (w *written) write(to string, file layout.File) error {
	if err := w.makeFolder(filepath.Dir(to)); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	mode := os.FileMode(0o644)
	if file.Executable {
		mode = 0o755
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // sources are for everybody to read
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists, and is not written over: move it away first", to)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	w.paths = append(w.paths, to)
	_, err = out.Write(file.Content)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	return nil
}

func (w *written) makeFolder(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := w.makeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // sources are for everybody to read
		return err
	}
	w.paths = append(w.paths, dir)
	return nil
}

func (w *written) undo() error {
	var errs []error
	for i := len(w.paths) - 1; i >= 0; i-- {
		errs = append(errs, os.Remove(w.paths[i]))
	}
	w.paths = nil
	return errors.Join(errs...)
}
