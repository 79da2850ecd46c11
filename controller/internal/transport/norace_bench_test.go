//go:build !race

package transport

// raceEnabled tells whether the race detector is on, with which allocations cannot be counted.
const raceEnabled = false
