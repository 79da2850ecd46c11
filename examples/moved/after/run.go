// SPDX-License-Identifier: Apache-2.0

package after

import (
	"context"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
)

// Run runs the operator until ctx ends.
func Run(ctx context.Context, config *rest.Config, records Records) error {
	m := controller.NewManager(config, controller.ManagerOptions{})
	if err := SetUp(m, records); err != nil {
		return err
	}
	return m.Run(ctx)
}
