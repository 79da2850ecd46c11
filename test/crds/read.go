// SPDX-License-Identifier: Apache-2.0

package crds

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// readPaths reads files and folders of the system.
func readPaths(paths []string) ([]*definition, error) {
	var all []*definition
	var errs []error
	for _, p := range paths {
		found, err := readPath(os.DirFS(filepath.Dir(p)), filepath.Base(p), p)
		all, errs = append(all, found...), append(errs, err)
	}
	if len(paths) == 0 {
		errs = append(errs, fmt.Errorf("there are no paths: %w", ErrNoCRD))
	}
	return all, errors.Join(errs...)
}

// readFS reads files and folders of a file system.
func readFS(fsys fs.FS, paths []string) ([]*definition, error) {
	var all []*definition
	var errs []error
	for _, p := range paths {
		found, err := readPath(fsys, p, p)
		all, errs = append(all, found...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// readPath reads a file or a folder, which is shown to the user under another name.
func readPath(fsys fs.FS, name, shown string) ([]*definition, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", shown, err)
	}
	files := map[string]string{shown: name}
	if info.IsDir() {
		if files, err = filesIn(fsys, name, shown); err != nil {
			return nil, err
		}
	}
	var all []*definition
	var errs []error
	for _, file := range sorted(files) {
		found, err := readFile(fsys, files[file], file)
		all, errs = append(all, found...), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: %w", shown, ErrNoCRD)
	}
	return all, nil
}

func sorted(files map[string]string) []string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// filesIn returns the manifests of a folder, by the names that are shown.
func filesIn(fsys fs.FS, folder, shown string) (map[string]string, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return nil, fmt.Errorf("read the folder %s: %w", shown, err)
	}
	files := map[string]string{}
	for _, e := range entries {
		base, extension := strings.TrimSuffix(e.Name(), path.Ext(e.Name())), path.Ext(e.Name())
		if e.IsDir() || base == "kustomization" || !slices.Contains([]string{".yaml", ".yml", ".json"}, extension) {
			continue
		}
		files[path.Join(filepath.ToSlash(shown), e.Name())] = path.Join(folder, e.Name())
	}
	return files, nil
}

// readFile reads the documents of a file.
func readFile(fsys fs.FS, name, shown string) ([]*definition, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", shown, err)
	}
	var all []*definition
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", shown, err)
		}
		d := &definition{object: &unstructured.Unstructured{}, from: shown}
		if err := yaml.Unmarshal(document, &d.object.Object); err != nil {
			return nil, fmt.Errorf("read %s: %w", shown, err)
		}
		if len(d.object.Object) == 0 {
			continue // comments only
		}
		if err := d.check(); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
}
