// SPDX-License-Identifier: Apache-2.0

// The program under test on Lanyard, with its defaults.
package main

import (
	"context"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/onlanyard"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

func main() { program.Main(context.Background(), run) }

func run(ctx context.Context, config *rest.Config, s *program.Settings, p *program.Probe) error {
	return onlanyard.Run(ctx, config, s, p, controller.ManagerOptions{})
}
