// SPDX-License-Identifier: Apache-2.0

// The sample controller reconciles Flunders. Copy its main for a controller of your own.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/program"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
	"github.com/lanyard-k8s/lanyard/telemetry"
)

func main() {
	options := flunder.Options{Workers: 4, Instance: os.Getenv("POD_NAME")}
	program.Main(program.Options{
		Name: flunder.FieldManager,
		Manager: controller.ManagerOptions{
			SyncTimeout:    30 * time.Second,
			LeaderElection: &controller.LeaderElection{Name: "sample-controller"},
		},
		AddFlags:  options.AddFlags,
		Telemetry: telemetry.New(),
	}, func(m *controller.Manager) error {
		if options.Workers < 1 {
			return fmt.Errorf("-workers=%d: at least one is needed", options.Workers)
		}
		_, err := flunder.Setup(m, options)
		return err
	})
}
