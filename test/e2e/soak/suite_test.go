// SPDX-License-Identifier: Apache-2.0

// Package soak_test runs three replicas of the sample for as long as one likes, while everything around them is
// disturbed: objects, processes, connections, Leases, the API server. From time to time it lets all come to rest, and
// looks whether it is as it has to be.
package soak_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/gobuild"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

var (
	length = flag.Duration("soak", 30*time.Second, "for how long everything is disturbed")
	seed   = flag.Uint64("soak-seed", 0, "of the plan; 0: one that is drawn, and printed")
)

var (
	plane  *controlplane.ControlPlane
	binary string // the sample's
)

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Prepare: prepare, Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

// prepare builds the sample without the race detector: it is its memory too that is looked at.
func prepare(ctx context.Context, root, dir string) (controlplane.Options, error) {
	binary = filepath.Join(dir, "flunder-controller")
	if err := gobuild.Program(ctx, root, "sample-controller", ".", binary); err != nil {
		return controlplane.Options{}, err
	}
	return controlplane.Options{Nodes: 1, APIServerArgs: map[string][]string{"etcd-compaction-interval": {"10s"}}}, nil
}
