// SPDX-License-Identifier: Apache-2.0

// Package suite is the frame of the packages that test against a control plane of their own.
package suite

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/cluster"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/repo"
)

// Options says what the tests of a package need.
type Options struct {
	// Prepare is called first, with a folder that is removed at the end. It says how the control plane
	// is to be started. Default: etcd and kube-apiserver.
	Prepare func(ctx context.Context, root, dir string) (controlplane.Options, error)

	// Started takes the control plane, which has the CRD and the permissions of config/.
	Started func(*controlplane.ControlPlane)

	// Stopped is called when the control plane is gone, for what was started beside it. Default: nothing.
	Stopped func()
}

// Main runs a package's tests on one control plane, ends that, looks for goroutines that are left, and
// returns the process's exit code.
func Main(m *testing.M, options Options) int {
	flag.Parse()
	code, err := run(context.Background(), m, options) //nolint:forbidigo // the root of the test process: testing.M has no context
	if options.Stopped != nil {
		options.Stopped()
	}
	if err == nil && code == 0 {
		err = goleak.Find()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func run(ctx context.Context, m *testing.M, options Options) (code int, err error) {
	root, err := repo.Root()
	if err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "lanyard-test-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var how controlplane.Options
	if options.Prepare != nil {
		if how, err = options.Prepare(ctx, root, dir); err != nil {
			return 1, err
		}
	}
	plane, err := controlplane.Start(ctx, how)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, plane.Stop(ctx)) }()
	if err := cluster.ApplyConfig(ctx, plane.Config(), root, "default", "crd", "rbac"); err != nil {
		return 1, err
	}
	options.Started(plane)
	return m.Run(), nil
}
