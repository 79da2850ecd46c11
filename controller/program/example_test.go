// SPDX-License-Identifier: Apache-2.0

package program_test

import (
	"context"
	"os"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/program"
)

// A main function that does more before it exits.
func ExampleRun() {
	main := func(ctx context.Context, options program.Options, setUp func(*controller.Manager) error) {
		err := program.Run(ctx, options, program.CurrentProcess(), setUp)
		os.Exit(program.ExitCode(err))
	}
	_ = main
}
