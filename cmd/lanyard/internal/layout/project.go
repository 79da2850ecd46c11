// SPDX-License-Identifier: Apache-2.0

// Package layout makes the files of a project from templates. What the generators make is not among them.
package layout

import "strings"

// Lanyard says where a project has Lanyard's modules from.
type Lanyard struct {
	Version string
	Dir     string // of a checkout, absolute; empty: from where the go command has all modules
}

// Project is a project as a whole.
type Project struct {
	Module  string
	Name    string // of the program
	Go      string // the oldest version that it can be built with, such as 1.26.0
	Lanyard Lanyard
}

// GoMinor returns the Go version without its last part, such as 1.26.
func (p Project) GoMinor() string { return p.Go[:strings.LastIndexByte(p.Go, '.')] }

// Files returns the project's files without those of its kinds.
func (p Project) Files() ([]File, error) { return renderAll("project", p) }
