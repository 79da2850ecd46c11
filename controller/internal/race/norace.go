//go:build !race

// Package race tells tests whether the race detector is on, with which allocations cannot be counted.
package race

// Enabled tells whether the race detector is on.
const Enabled = false
