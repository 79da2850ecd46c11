// SPDX-License-Identifier: Apache-2.0

package lifecycle

// Class is a kind of runner. The end waits for one class after the other, in this order. The
// Leases come between the workers and the informers.
type Class int

// The classes.
const (
	Workers   Class = iota // controllers
	Informers              // their caches
	Runnables              // what else ends with everything
	Servers                // what ends last, because the others may need it until they have returned
	classes                // the number of classes
)
