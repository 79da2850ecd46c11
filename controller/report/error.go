// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"time"
)

// ShutdownError is the error of Run if something did not return within
// ManagerOptions.ShutdownTimeout.
type ShutdownError struct {
	Report Shutdown
}

// Error names each straggler, and the API call it is in.
func (e *ShutdownError) Error() string {
	lines := make([]string, len(e.Report.Stragglers))
	for i, w := range e.Report.Stragglers {
		lines[i] = w.String()
	}
	return fmt.Sprintf("not stopped %v after the end (%v): %s",
		e.Report.Took.Round(time.Millisecond), e.Report.Cause, strings.Join(lines, "; "))
}

// Unwrap returns the cause of the end.
func (e *ShutdownError) Unwrap() error { return e.Report.Cause }
