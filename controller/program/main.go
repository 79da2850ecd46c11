// SPDX-License-Identifier: Apache-2.0

package program

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/lanyard-k8s/lanyard/controller"
)

// Main is the whole main function of a program:
//
//  1. It reads the flags and their environment variables, and sets up the log.
//  2. It loads the configuration with controller.LoadConfig.
//  3. It starts the telemetry.
//  4. It makes a manager and calls setUp, which adds the controllers.
//  5. It runs the manager, and the servers of probes and metrics, until the first SIGINT or SIGTERM;
//     controller.SignalContext says what further signals do. With -plan it runs the manager dry, and
//     prints what would change.
//  6. It prints the report of the shutdown to standard error.
//
// Then it prints the error, if there is one, with the program's name to standard error. It exits with
// [ExitCode] if that is not 0, and returns if it is. Call [Run] in its place to do more in the main
// function.
func Main(o Options, setUp func(*controller.Manager) error) {
	err := Run(context.Background(), o, CurrentProcess(), setUp)
	if err != nil && !errors.Is(err, wouldChange{}) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", o.Name, err)
	}
	if code := ExitCode(err); code != 0 {
		os.Exit(code)
	}
}
