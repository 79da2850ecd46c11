// SPDX-License-Identifier: Apache-2.0

// The program under test on bare client-go with a connection each for watches, calls and the Lease, as Lanyard has them
// (C25): what they cost by themselves.
package main

import (
	"context"
	"net"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/onclientgo"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

func main() { program.Main(context.Background(), run) }

func run(ctx context.Context, config *rest.Config, s *program.Settings, p *program.Probe) error {
	return onclientgo.Run(ctx, onclientgo.Configs{Watches: apart(config), Calls: apart(config), Lease: apart(config)}, s, p)
}

// apart returns a config whose clients do not share their connections with those of any other. A dialer of its own does
// that; it is the one that client-go would use.
func apart(config *rest.Config) *rest.Config {
	own := rest.CopyConfig(config)
	own.Dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	return own
}
