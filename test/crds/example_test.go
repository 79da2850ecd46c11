// SPDX-License-Identifier: Apache-2.0

package crds_test

import (
	"context"
	"embed"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/crds"
)

// The CRDs of a project that the standard layout has in config/crd/bases, before its tests run.
func ExampleInstall() {
	install := func(ctx context.Context, config *rest.Config) error {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		return crds.Install(ctx, config, "../../config/crd/bases")
	}
	_ = install // it needs a cluster
}

//go:embed testdata/*.yaml
var manifests embed.FS

// The CRDs that a program has embedded.
func ExampleInstallFS() {
	install := func(ctx context.Context, config *rest.Config) error {
		return crds.InstallFS(ctx, config, manifests, "testdata")
	}
	_ = install // it needs a cluster
}
