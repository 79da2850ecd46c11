package term

import "time"

// Clock is the time since some moment in the past. It never goes back, and it goes on while the process
// is stopped and while the machine is suspended.
type Clock func() time.Duration
