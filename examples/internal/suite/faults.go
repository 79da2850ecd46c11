// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"context"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

// faultBudget is how long an example is explored in CI.
const faultBudget = 20 * time.Second

// Faults tries every fault at every call of an operator, as far as the time goes. program has no Run.
func Faults(t *testing.T, program faulttest.Program, setUp func(*controller.Manager) error) {
	t.Helper()
	program.Run = func(ctx context.Context, config *rest.Config, namespace string) error {
		m := controller.NewManager(config, controller.ManagerOptions{
			LeaderElection: &controller.LeaderElection{Namespace: namespace, Name: "example", Identity: "example"},
		})
		if err := setUp(m); err != nil {
			return err
		}
		return m.Run(ctx)
	}
	faulttest.Explore(t, plane.Config(), program, faulttest.Options{Budget: faultBudget})
}
