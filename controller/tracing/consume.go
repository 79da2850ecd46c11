package tracing

import (
	"sync"

	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// maxConsumed is how many objects a Consumer remembers.
const maxConsumed = 4096

// Consumer hands out the trace in each object's annotation once for each new value or generation, so that
// resyncs do not lead back to it again. A controller has one. It remembers a bounded number of objects, and of
// objects without the annotation nothing.
type Consumer struct {
	annotations *Annotations

	mu   sync.Mutex
	seen map[types.UID]*consumed
	next int // to be forgotten
	ring []types.UID
}

type consumed struct {
	span       trace.SpanID
	trace      trace.TraceID
	generation int64
}

// NewConsumer makes a Consumer of annotations.
func NewConsumer(annotations *Annotations) *Consumer {
	return &Consumer{annotations: annotations, seen: map[types.UID]*consumed{}}
}

// Take is the trace in object's annotation, if it has one that was not taken yet.
func (c *Consumer) Take(object metav1.Object) (trace.Link, bool) {
	link, ok := c.annotations.LinkFrom(object)
	if !ok {
		return trace.Link{}, false
	}
	now := consumed{span: link.SpanContext.SpanID(), trace: link.SpanContext.TraceID(), generation: object.GetGeneration()}
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
