// SPDX-License-Identifier: Apache-2.0

// The program under test on Lanyard with the page served on a port of its own, which nobody opens.
package main

import (
	"context"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/page"
	"github.com/lanyard-k8s/lanyard/controller/serve"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/onlanyard"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

func main() { program.Main(context.Background(), run) }

func run(ctx context.Context, config *rest.Config, s *program.Settings, p *program.Probe) error {
	return onlanyard.Run(ctx, config, s, p, controller.ManagerOptions{}, func(m *controller.Manager) {
		server := &serve.Server{Name: "page", Address: "127.0.0.1:0", Handler: serve.Local(page.New(m, page.Options{}))}
		m.AddServer("page", server.Run)
	})
}
