// SPDX-License-Identifier: Apache-2.0

package program

import "errors"

// wouldChange is the result of -plan when something would change, which is no failure.
type wouldChange struct{}

func (wouldChange) Error() string { return "something would change" }

// ExitCode returns the exit code of a program whose [Run] returned err:
//   - 0 for nil: the program ended as it was asked to, or its plan changes nothing;
//   - 2 if the plan of -plan would change something;
//   - 1 for every other error.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, wouldChange{}):
		return 2
	default:
		return 1
	}
}
