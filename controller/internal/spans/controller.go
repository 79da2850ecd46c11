// SPDX-License-Identifier: Apache-2.0

package spans

import (
	"slices"
	"sync"

	"go.opentelemetry.io/otel/trace"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/traceannotation"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// maxLinks is the number of events to which a reconcile is linked.
const maxLinks = 6

// controller is what is kept for the items of a controller. It is safe for concurrent use.
type controller struct {
	spanName string
	spanKind trace.SpanStartOption
	consumer *traceannotation.Consumer

	mu     sync.Mutex
	links  map[reconcile.Request][]trace.Link // of items that wait
	chains map[reconcile.Request]chain        // of items that are tried again
}

// chain is a chain of retries.
type chain struct {
	first    trace.SpanContext
	previous trace.SpanContext
}

func newController(name string, annotations *traceannotation.Settings) *controller {
	return &controller{
		spanName: semconv.SpanReconcile + " " + name,
		spanKind: trace.WithSpanKind(trace.SpanKindConsumer),
		consumer: traceannotation.NewConsumer(annotations),
		links:    map[reconcile.Request][]trace.Link{},
		chains:   map[reconcile.Request]chain{},
	}
}

// keepLink keeps the trace of what has added items for their spans.
func (c *controller) keepLink(e *observe.Enqueue, link trace.Link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, request := range e.Requests {
		links := c.links[request]
		known := slices.ContainsFunc(
			links,
			func(l trace.Link) bool { return l.SpanContext.Equal(link.SpanContext) },
		)
		if !known && len(links) < maxLinks {
			c.links[request] = append(links, link)
		}
	}
}

// take returns the links of an item that a worker has taken, and the chain that it belongs to.
func (c *controller) take(item reconcile.Request) ([]trace.Link, chain) {
	c.mu.Lock()
	defer c.mu.Unlock()
	links := c.links[item]
	delete(c.links, item)
	return links, c.chains[item]
}

// ended continues the chain of an item that is tried again, and ends that of any other.
func (c *controller) ended(item reconcile.Request, retry bool, span trace.SpanContext) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !retry {
		delete(c.chains, item)
		return
	}
	continued := c.chains[item]
	if !continued.first.IsValid() {
		continued.first = span
	}
	continued.previous = span
	c.chains[item] = continued
}

func (c *controller) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.links)
	clear(c.chains)
}
