// SPDX-License-Identifier: Apache-2.0

package crds

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

var (
	// ErrNoCRD is the error of a path that has no CustomResourceDefinition.
	ErrNoCRD = errors.New("no CustomResourceDefinition")
	// ErrNotCRD is the error of an object that is something else.
	ErrNotCRD = errors.New("not a CustomResourceDefinition of apiextensions.k8s.io/v1")
	// ErrTimeout is the cause when a definition was not served in time, and the context has no deadline.
	ErrTimeout = fmt.Errorf("the API server has not served it within %v: set a deadline to wait longer", defaultTimeout)
)

const defaultTimeout = time.Minute

// Install applies the CustomResourceDefinitions in files and folders by server-side apply, and returns when the
// API server serves each of their versions that is to be served: the definition is established, discovery has its
// resource, and a list of its objects is answered. What another installation has applied before is updated.
//
// A path is a file of one or more YAML or JSON documents, or a folder, of which the files that end with .yaml, .yml
// or .json are read, but not the folders below. Each path must have a definition, or the error is [ErrNoCRD], and
// nothing else, or it is [ErrNotCRD]; kustomization files are left out.
//
// Install ends with ctx, at the latest after a minute if ctx has no deadline. Its errors name the file, or the
// definition with the condition that it waits for.
func Install(ctx context.Context, config *rest.Config, paths ...string) error {
	objects, err := readPaths(paths)
	if err != nil {
		return fmt.Errorf("install CRDs: %w", err)
	}
	return install(ctx, config, objects)
}

// InstallFS is [Install] with the files and folders of fsys, such as an embed.FS. Without paths it takes the
// folder ".".
func InstallFS(ctx context.Context, config *rest.Config, fsys fs.FS, paths ...string) error {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	objects, err := readFS(fsys, paths)
	if err != nil {
		return fmt.Errorf("install CRDs: %w", err)
	}
	return install(ctx, config, objects)
}

// InstallObjects is [Install] with definitions that are objects: *apiextensionsv1.CustomResourceDefinition or
// *unstructured.Unstructured. It does not change them.
func InstallObjects(ctx context.Context, config *rest.Config, objects ...runtime.Object) error {
	definitions, err := readObjects(objects)
	if err != nil {
		return fmt.Errorf("install CRDs: %w", err)
	}
	return install(ctx, config, definitions)
}

func install(ctx context.Context, config *rest.Config, definitions []*definition) error {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, defaultTimeout, ErrTimeout)
		defer cancel()
	}
	cluster, err := newCluster(config)
	if err != nil {
		return fmt.Errorf("install CRDs: %w", err)
	}
	for _, d := range definitions {
		if err := cluster.apply(ctx, d); err != nil {
			return fmt.Errorf("install CRD %s: %w", d.name(), err)
		}
	}
	var errs []error
	for _, d := range definitions {
		if err := cluster.wait(ctx, d); err != nil {
			errs = append(errs, fmt.Errorf("install CRD %s: %w", d.name(), err))
		}
	}
	return errors.Join(errs...)
}
