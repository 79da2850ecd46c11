// SPDX-License-Identifier: Apache-2.0

package shutdowntest_test

import (
	"errors"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// These are a test's own: config reaches an API server with a Flunder in it, which nobody has reconciled, and
// setUp adds its controller to a manager, as the program does.
var (
	t      *testing.T
	config *rest.Config
	setUp  func(*controller.Manager) error
)

// The Flunder controller is stopped while it applies a Deployment.
func Example() {
	proxy := shutdowntest.NewProxy(t, config)
	held := proxy.Add(shutdowntest.Match{Verb: "apply", Resource: "deployments.apps"}, shutdowntest.Stall())
	run := shutdowntest.Start(t, proxy, setUp, shutdowntest.Options{})
	held.Await(1)
	if err := run.End(errors.New("the node is drained")); err != nil {
		t.Error(err)
	}
	run.AssertPromise(shutdowntest.Expect{})
}
