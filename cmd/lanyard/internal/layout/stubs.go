// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Stubs returns files for the packages of the project that its files import but do not have, because they are generated
// later. With them the go command finds all other modules that are needed.
func Stubs(module string, files []File) []File {
	var there, wanted []string
	for _, file := range files {
		if !strings.HasSuffix(file.Path, ".go") {
			continue
		}
		there = append(there, path.Dir(file.Path))
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Path, file.Content, parser.ImportsOnly)
		if err != nil {
			continue // the go command will say so
		}
		for _, spec := range parsed.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if folder, ok := strings.CutPrefix(name, module+"/"); ok && err == nil {
				wanted = append(wanted, folder)
			}
		}
	}
	slices.Sort(wanted)
	var stubs []File
	for _, folder := range slices.Compact(wanted) {
		if !slices.Contains(there, folder) {
			stubs = append(stubs, File{Path: folder + "/stub.go", Content: []byte("package stub\n")})
		}
	}
	return stubs
}
