// SPDX-License-Identifier: Apache-2.0

package shutdown_test

import (
	"testing"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// TestWhatAnOperatorAuthorWrites is the kit's example, word by word.
func TestWhatAnOperatorAuthorWrites(t *testing.T) {
	newEnv(t, 0).createFlunders(1)
	config := plane.Config()
	setUp := func(m *controller.Manager) error {
		_, err := flunder.Setup(m, flunder.Options{})
		return err
	}

	proxy := shutdowntest.NewProxy(t, config)
	held := proxy.Add(shutdowntest.Match{Verb: "apply", Resource: "deployments.apps"}, shutdowntest.Stall())
	run := shutdowntest.Start(t, proxy, setUp, shutdowntest.Options{})
	held.Await(1)
	if err := run.End(errDrained); err != nil {
		t.Error(err)
	}
	run.AssertPromise(shutdowntest.Expect{})
}
