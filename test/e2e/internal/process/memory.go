// SPDX-License-Identifier: Apache-2.0

// Package process looks at processes of tests from outside.
package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ResidentMemory returns the resident memory of a process, in megabytes. It needs /proc.
func ResidentMemory(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kilobytes, err := strconv.Atoi(fields[1])
			return kilobytes / 1024, err
		}
	}
	return 0, fmt.Errorf("the memory of process %d is not in its status: it may have ended", pid)
}
