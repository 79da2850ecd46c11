package tracing

// Remembered is how many attempts are remembered.
func (c *Client) Remembered() int {
	c.attempts.mu.Lock()
	defer c.attempts.mu.Unlock()
	return len(c.attempts.failed)
}

// Remembered is how many objects are remembered.
func (c *Consumer) Remembered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}
