package controller

import (
	"maps"
	"sync"
)

// Stats counts a controller's reconciles by how they ended.
type Stats struct {
	Done      int64 // returned nil
	Requeued  int64 // returned nil and asked to be called again later
	Retried   int64 // failed, and were put back with a back-off
	Terminal  int64 // failed for good
	Panicked  int64
	TimedOut  int64            // used up their time (C9)
	Cancelled map[string]int64 // ended with their context, by the cause's name (C5)
}

// Failures is how many reconciles failed. Cancelled ones did not.
func (s Stats) Failures() int64 { return s.Retried + s.Terminal + s.Panicked + s.TimedOut }

type counters struct {
	mu    sync.Mutex
	stats Stats
}

func (c *counters) add(how outcome, causeName string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch how {
	case outcomeDone:
		c.stats.Done++
	case outcomeRequeued:
		c.stats.Requeued++
	case outcomeRetried:
		c.stats.Retried++
	case outcomeTerminal:
		c.stats.Terminal++
	case outcomePanicked:
		c.stats.Panicked++
	case outcomeTimedout:
		c.stats.TimedOut++
	case outcomeCancelled:
		if c.stats.Cancelled == nil {
			c.stats.Cancelled = map[string]int64{}
		}
		c.stats.Cancelled[causeName]++
	}
}

func (c *counters) snapshot() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Cancelled = maps.Clone(s.Cancelled)
	return s
}
