// SPDX-License-Identifier: Apache-2.0

package project

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Controllers returns the names of the functions in internal/controllers that set a controller up, without SetUp.
func (p *Project) Controllers() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(p.Dir, "internal", "controllers", "*.go"))
	if err != nil {
		return nil, err
	}
	var controllers []string
	for _, name := range files {
		if strings.HasPrefix(filepath.Base(name), "zz_generated.") {
			continue
		}
		content, err := os.ReadFile(name) //nolint:gosec // a file of the project
		if err != nil {
			return nil, fmt.Errorf("find the controllers: %w", err)
		}
		for _, found := range setUp.FindAllSubmatch(content, -1) {
			controllers = append(controllers, string(found[1]))
		}
	}
	return controllers, nil
}

var setUp = regexp.MustCompile(`(?m)^func SetUp([A-Za-z0-9]+)\(`)
