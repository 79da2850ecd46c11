// SPDX-License-Identifier: Apache-2.0

package traceannotation

import (
	"sync"

	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// maxConsumed is the number of objects that a Consumer remembers.
const maxConsumed = 4096

// Consumer hands out the trace in each object's annotation once for each new value or generation,
// so that a resync does not lead to it again. A controller has one. It remembers a bounded number
// of objects, and nothing of objects without the annotation. It is safe for concurrent use.
type Consumer struct {
	settings *Settings

	mu   sync.Mutex
	seen map[types.UID]*consumed
	next int // the place in ring to overwrite
	ring []types.UID
}

type consumed struct {
	span       trace.SpanID
	trace      trace.TraceID
	generation int64
}

// NewConsumer makes a Consumer.
func NewConsumer(settings *Settings) *Consumer {
	return &Consumer{settings: settings, seen: map[types.UID]*consumed{}}
}

// Take returns the trace in an object's annotation, if it has one that was not taken yet.
func (c *Consumer) Take(object metav1.Object) (trace.Link, bool) {
	link, ok := c.settings.LinkFrom(object)
	if !ok {
		return trace.Link{}, false
	}
	now := consumed{
		span:       link.SpanContext.SpanID(),
		trace:      link.SpanContext.TraceID(),
		generation: object.GetGeneration(),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if before := c.seen[object.GetUID()]; before != nil {
		if *before == now {
			return trace.Link{}, false
		}
		*before = now
		return link, true
	}
	c.remember(object.GetUID(), now)
	return link, true
}

func (c *Consumer) remember(uid types.UID, now consumed) {
	if len(c.ring) < maxConsumed {
		c.ring = append(c.ring, uid)
	} else {
		delete(c.seen, c.ring[c.next])
		c.ring[c.next] = uid
		c.next = (c.next + 1) % maxConsumed
	}
	c.seen[uid] = &now
}
