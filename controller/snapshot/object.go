// SPDX-License-Identifier: Apache-2.0

package snapshot

import "time"

// Object names an object.
type Object struct {
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String returns namespace/name, or the name alone for an object without a namespace.
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Name
	}
	return o.Namespace + "/" + o.Name
}

// Seconds is a length of time.
type Seconds float64

// SecondsOf returns a length of time in seconds, in whole microseconds.
func SecondsOf(d time.Duration) Seconds { return Seconds(d.Round(time.Microsecond).Seconds()) }

// Duration returns the length of time as the standard library has it.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }
