// SPDX-License-Identifier: Apache-2.0

// Package faults_test counts the faults that caches which lag behind the API server lead to, in the same
// reconcile on bare client-go, on controller-runtime and on Lanyard. The table is in docs/read-your-writes.md.
package faults_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	crlog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// lag is by how much watches are late.
const lag = time.Second

var (
	objects = flag.Int("objects", 20, "how many objects each program reconciles for each fault")
	plane   *controlplane.ControlPlane
)

func TestMain(m *testing.M) {
	crlog.SetLogger(logr.Discard()) // or controller-runtime complains that nobody has
	os.Exit(suite.Main(m, suite.Options{Started: func(p *controlplane.ControlPlane) { plane = p }}))
}
