// SPDX-License-Identifier: Apache-2.0

// Package container tells one run of the container that this process is in from the next.
package container

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"strings"
)

// Instance returns a text that all processes of one run of this container have in common, and that
// another run of it does not have: it is made of the machine's boot and of the moment in which the
// first process of the container's process namespace began. When that process ends, the kernel ends
// all others of the namespace. Instance returns "" where this is not known, as on other systems than
// Linux.
//
// In a pod whose containers share one process namespace, or have the machine's, the text is the same
// after the container was started again.
func Instance() string { return instanceOf(os.DirFS("/proc")) }

// startTime is the place of the start among the fields of /proc/PID/stat that follow the name of the
// program: it is the 22nd of all. See proc_pid_stat(5).
const startTime = 22 - 3

// instanceOf reads a file system that is mounted as /proc.
func instanceOf(proc fs.FS) string {
	boot, err := fs.ReadFile(proc, "sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	stat, err := fs.ReadFile(proc, "1/stat")
	if err != nil {
		return ""
	}
	// The name is in parentheses, and may have spaces and parentheses itself.
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) <= startTime || fields[startTime] == "0" {
		return "" // a kernel that does not say it
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(string(boot)) + " " + fields[startTime]))
	return hex.EncodeToString(sum[:8])
}
