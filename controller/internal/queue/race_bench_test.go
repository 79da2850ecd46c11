//go:build race

package queue

// raceEnabled tells whether the race detector is on, with which allocations cannot be counted.
const raceEnabled = true
