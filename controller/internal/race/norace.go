// SPDX-License-Identifier: Apache-2.0

//go:build !race

// Package race tells tests whether the race detector is on, with which allocations cannot be
// counted.
package race

// Enabled reports whether the race detector is on.
const Enabled = false
