// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package term

// BootTime returns a clock that advances as Go's monotonic clock or as the wall clock, whichever
// advances by more.
func BootTime() Clock { return portable() }
