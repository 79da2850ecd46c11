// SPDX-License-Identifier: Apache-2.0

package orphantest_test

import (
	"testing"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/orphantest"
)

// In a test the check comes right after the manager.
func ExampleCheck_first() {
	start := func(t *testing.T, config *rest.Config) *controller.Manager {
		m := controller.NewManager(config, controller.ManagerOptions{})
		orphantest.Check(t, m) // or run.Manager() of a run of shutdowntest
		return m
	}
	_ = start
}
