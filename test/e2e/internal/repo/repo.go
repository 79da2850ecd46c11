// SPDX-License-Identifier: Apache-2.0

// Package repo finds the repository's files from wherever a test or command runs within it.
package repo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const module = "module github.com/lanyard-k8s/lanyard\n"

// Root returns the folder of the repository that the working directory lies in.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(content), module) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in the lanyard repository: run this from a clone of it", start)
		}
	}
}
