// SPDX-License-Identifier: Apache-2.0

package tree

import "context"

// WithValues returns a context that ends when ends does, in the same instant and with the same
// cause, and has the values of values before those of ends.
//
// [context.AfterFunc] would end a context a moment late, because it runs on a goroutine of its own.
func WithValues(ends, values context.Context) context.Context {
	return &joined{Context: ends, values: context.WithoutCancel(values)}
}

// joined is made of two contexts, so it holds them.
type joined struct {
	context.Context                 // its end
	values          context.Context // its values
}

// Value returns the value of either. [context.WithoutCancel] guarantees that values has no cause
// and nothing to be cancelled with, so the context package finds those of the other.
func (j *joined) Value(key any) any {
	if value := j.values.Value(key); value != nil {
		return value
	}
	return j.Context.Value(key)
}
