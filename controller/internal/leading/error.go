// SPDX-License-Identifier: Apache-2.0

package leading

import (
	"errors"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// lostError is the error of a Leader that exits on loss. It is [cause.LeadershipLost], but no
// cancellation, because the manager has failed.
type lostError struct{ cause error }

func (e *lostError) Error() string {
	return "this process ends because it does not lead any more: " + e.cause.Error()
}

func (e *lostError) As(target any) bool { return errors.As(e.cause, target) }

func (e *lostError) Is(target error) bool { return target == cause.LeadershipLost }
