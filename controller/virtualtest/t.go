// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"context"
	"io"
)

// T is the part of [testing.TB] that this package needs.
type T interface {
	Helper()
	Cleanup(f func())
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Output() io.Writer
}
