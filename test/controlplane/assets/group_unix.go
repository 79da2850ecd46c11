// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package assets

import "syscall"

// processGroup starts a child in a group of its own, so that an interrupt at
// the terminal reaches only us. A build whose parent is killed runs to its end.
func processGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
