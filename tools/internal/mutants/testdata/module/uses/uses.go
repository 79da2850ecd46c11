// Package uses uses the other.
package uses

import "example.com/module/sum"

// Four is two times two.
func Four() int { return sum.Double(2) }
