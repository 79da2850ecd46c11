// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"os"

	"k8s.io/client-go/rest"
)

// Main is the whole main function of a program without flags:
//
//  1. It loads the configuration with LoadConfig(""): that of the pod, or else the user's
//     kubeconfig.
//  2. It makes a manager from options and calls setUp, which adds the controllers.
//  3. It runs the manager until the first SIGINT or SIGTERM. [SignalContext] says what further
//     signals do.
//  4. It prints the report of the shutdown to standard error.
//
// Main exits with status 1 if any of these returned an error. For a program with flags, servers for
// probes and metrics, and telemetry, use Main of package program.
func Main(options ManagerOptions, setUp func(*Manager) error) {
	config, err := LoadConfig("")
	if err == nil {
		err = runMain(context.Background(), config, options, setUp)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runMain(
	ctx context.Context, config *rest.Config, options ManagerOptions, setUp func(*Manager) error,
) error {
	m := NewManager(config, options)
	ctx, stop := SignalContext(ctx, m)
	defer stop()
	if err := setUp(m); err != nil {
		return fmt.Errorf("set up the manager: %w", err)
	}
	err := m.Run(ctx)
	if ctx.Err() != nil { // otherwise err says it all
		fmt.Fprint(os.Stderr, m.Report())
	}
	return err
}
