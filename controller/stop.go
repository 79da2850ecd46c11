// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// causeOfStop is the cause of the end of something that was stopped alone.
func causeOfStop(format string, args ...any) error {
	return cause.Stopped.With(fmt.Errorf(format, args...))
}

// alreadyClosed returns a closed channel.
func alreadyClosed() <-chan struct{} {
	closed := make(chan struct{})
	close(closed)
	return closed
}
