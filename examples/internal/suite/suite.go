// SPDX-License-Identifier: Apache-2.0

// Package suite is what the tests of the examples share: a control plane for each package, and an
// operator that runs on it.
package suite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
)

// plane is the control plane of the package under test: etcd and kube-apiserver.
var plane *controlplane.ControlPlane

// Main runs the tests of a package on one control plane and ends the process. It fails if a goroutine
// is left.
func Main(m *testing.M) {
	code, err := run(context.Background(), m) //nolint:forbidigo // the root of the test process: testing.M has no context
	if err == nil && code == 0 {
		err = goleak.Find()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(ctx context.Context, m *testing.M) (code int, err error) {
	if plane, err = controlplane.Start(ctx, controlplane.Options{}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, plane.Stop(ctx)) }()
	return m.Run(), nil
}
