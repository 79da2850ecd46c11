// SPDX-License-Identifier: Apache-2.0

// Package kits_test tests the kits that users test their operators with, on each version of Kubernetes.
package kits_test

import (
	"context"
	"io"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// onEachVersion runs a test on an API server of each version of Kubernetes.
func onEachVersion(t *testing.T, f func(*testing.T, *rest.Config)) {
	for _, version := range assets.KubernetesVersions() {
		t.Run(version, func(t *testing.T) {
			plane, err := controlplane.Start(t.Context(), controlplane.Options{
				Version: version, Assets: assets.Options{Progress: io.Discard},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
				defer cancel()
				if err := plane.Stop(ctx); err != nil {
					t.Error(err)
				}
			})
			f(t, plane.Config())
		})
	}
}
