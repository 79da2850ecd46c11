// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"io/fs"
	"path"
	"strings"
	"text/template"
)

//go:embed all:templates
var templates embed.FS

// File is a file of a project.
type File struct {
	Path       string // from the project's folder, with slashes
	Content    []byte
	Executable bool
}

// render makes a file from a template. Go code is formatted.
func render(name, to string, data any) (File, error) {
	content, err := templates.ReadFile(path.Join("templates", name+".tmpl"))
	if err != nil {
		return File{}, fmt.Errorf("make %s: %w", to, err)
	}
	// Braces and brackets are for the languages of the files.
	parsed, err := template.New(name).Delims("<%", "%>").Option("missingkey=error").Parse(string(content))
	if err != nil {
		return File{}, fmt.Errorf("make %s: %w", to, err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, data); err != nil {
		return File{}, fmt.Errorf("make %s: %w", to, err)
	}
	made := out.Bytes()
	if strings.HasSuffix(to, ".go") {
		if made, err = format.Source(made); err != nil {
			return File{}, fmt.Errorf("make %s: %w\n%s", to, err, out.Bytes())
		}
	}
	return File{Path: to, Content: made, Executable: strings.HasSuffix(to, ".sh")}, nil
}

// renderAll makes the files of a folder of templates, each at its own place.
func renderAll(folder string, data any) ([]File, error) {
	var files []File
	root := path.Join("templates", folder)
	err := fs.WalkDir(templates, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		to := strings.TrimSuffix(strings.TrimPrefix(name, root+"/"), ".tmpl")
		file, err := render(path.Join(folder, to), to, data)
		files = append(files, file)
		return err
	})
	return files, err
}
