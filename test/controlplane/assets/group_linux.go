// SPDX-License-Identifier: Apache-2.0

package assets

import "syscall"

// processGroup starts a child in a group of its own, so that an interrupt at
// the terminal reaches only us, and lets it die with the thread that started it.
func processGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
