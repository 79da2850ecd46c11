// SPDX-License-Identifier: Apache-2.0

package clientspans

// Remembered is how many attempts are remembered.
func (c *Client) Remembered() int {
	c.attempts.mu.Lock()
	defer c.attempts.mu.Unlock()
	return len(c.attempts.failed)
}
