// SPDX-License-Identifier: Apache-2.0

package cause_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// A cause is found in what a context carries and in the error of a call that ended with it, beside the error of the
// standard library that existing code looks for.
func ExampleShutdown() {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause.Shutdown.With(errors.New("received the signal interrupt")))
	err := context.Cause(ctx)
	fmt.Println(err)
	fmt.Println(errors.Is(err, cause.Shutdown), errors.Is(err, context.Canceled), cause.Name(ctx))
	// Output:
	// the manager is shutting down: received the signal interrupt
	// true true shutdown
}
