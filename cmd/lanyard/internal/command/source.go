// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/layout"
)

// lanyardModule is the path of Lanyard's first module.
const lanyardModule = "github.com/lanyard-k8s/lanyard"

// source says where a new project has Lanyard's modules from: the release that this program is of, or a checkout.
func source(version, checkout string) (layout.Lanyard, error) {
	if checkout != "" {
		return checkedOut(checkout)
	}
	switch {
	case !semver.IsValid(version), semver.Build(version) != "":
		return layout.Lanyard{}, fmt.Errorf("this lanyard is version %s, built from a checkout: name the checkout with --lanyard DIR", version)
	case module.IsPseudoVersion(version):
		// Each module has a pseudo-version of its own for the commit. The go command finds them.
		revision, err := module.PseudoVersionRev(version)
		return layout.Lanyard{Version: revision}, err
	}
	return layout.Lanyard{Version: version}, nil
}

func checkedOut(dir string) (layout.Lanyard, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return layout.Lanyard{}, err
	}
	content, err := os.ReadFile(filepath.Join(dir, "go.mod")) //nolint:gosec // the user names it
	if err != nil {
		return layout.Lanyard{}, fmt.Errorf("--lanyard %s is no checkout of Lanyard: %w", dir, err)
	}
	if path := modfile.ModulePath(content); path != lanyardModule {
		return layout.Lanyard{}, fmt.Errorf("--lanyard %s is no checkout of Lanyard: its module is %s", dir, path)
	}
	if strings.ContainsAny(dir, " \t\"'`") {
		return layout.Lanyard{}, errors.New("--lanyard: the path has a blank or a quote, which go.mod cannot have")
	}
	return layout.Lanyard{Version: "v0.0.0", Dir: filepath.ToSlash(dir)}, nil
}
