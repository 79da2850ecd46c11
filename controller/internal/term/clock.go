// SPDX-License-Identifier: Apache-2.0

package term

import "time"

// Clock returns the time since some fixed moment in the past. It never goes back, and it advances
// while the process is stopped and while the machine is suspended. It may be called from several
// goroutines at once.
type Clock func() time.Duration
