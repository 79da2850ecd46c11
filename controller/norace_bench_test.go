//go:build !race

package controller_test

// raceEnabled tells whether the race detector is on, with which allocations cannot be counted.
const raceEnabled = false
