// SPDX-License-Identifier: Apache-2.0

// The program under test on bare client-go, whose clients share a connection.
package main

import (
	"context"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/onclientgo"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

func main() { program.Main(context.Background(), run) }

func run(ctx context.Context, config *rest.Config, s *program.Settings, p *program.Probe) error {
	return onclientgo.Run(ctx, onclientgo.Configs{Watches: config, Calls: config, Lease: config}, s, p)
}
