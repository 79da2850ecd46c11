// SPDX-License-Identifier: Apache-2.0

package traceannotation

// Remembered is how many objects are remembered.
func (c *Consumer) Remembered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}
