// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"cmp"
	"fmt"
	"html"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
	"github.com/lanyard-k8s/lanyard/test/e2e/tracing/collector"
)

// TestPicture draws docs/tracing/flunder.svg: a Flunder from its creation, which is the trace of a client that
// is a member of system:monitoring too, to ready, on a control plane with a node.
func TestPicture(t *testing.T) {
	if *picture == "" {
		t.Skip("without -picture there is nothing to draw")
	}
	e := newEnv(t)
	// Opened connections and watches are no part of what is to be seen.
	options := controller.ManagerOptions{Telemetry: controller.Telemetry{TracerProvider: e.provider(sdktrace.AlwaysSample()), WriteAnnotation: true}}
	e.flunders(e.monitor(), options)
	e.create("warm-up")
	e.awaitReason("warm-up", v1beta1.ReasonAvailable)
	began := time.Now()
	e.create("web")
	e.awaitReason("web", v1beta1.ReasonAvailable)
	var reconciles []*collector.Span
	e.eventually("the reconcile that made it ready has arrived, and all below", func() error {
		reconciles = collected.Spans(func(span *collector.Span) bool { return e.reconciles("web")(span) && span.Begin().After(began) })
		n := 0
		for _, r := range reconciles {
			n += len(collected.Spans(func(span *collector.Span) bool {
				return span.Service == "etcd" && span.Trace() == r.Trace() && strings.HasSuffix(span.Name, "Txn")
			}))
		}
		writes := 0
		for _, r := range reconciles {
			writes += len(collected.Spans(func(span *collector.Span) bool {
				return e.mine(span) && span.Parent() == r.ID() && span.Kind == tracev1.Span_SPAN_KIND_CLIENT
			}))
		}
		if n < writes || writes < 4 {
			return fmt.Errorf("%d writes, %d of etcd's spans", writes, n)
		}
		return nil
	})
	e.must(os.WriteFile(*picture, []byte(draw(began, reconciles)), 0o644))
}

// row is a line of the picture.
type row struct {
	*collector.Span
	depth int
}

// rows are the spans below one, in the order of their beginning; of the API server's and etcd's own only those
// that take part in the way of a request.
func rows(span *collector.Span, depth int) []row {
	all := []row{{span, depth}}
	below := collected.Spans(func(s *collector.Span) bool { return s.Parent() == span.ID() })
	slices.SortStableFunc(below, func(a, b *collector.Span) int { return a.Begin().Compare(b.Begin()) })
	for _, s := range below {
		all = append(all, rows(s, depth+1)...)
	}
	return all
}

const (
	rowHeight = 15
	textWidth = 560
	barWidth  = 560
)

var colours = map[string]string{apiserver: "#d97706", "etcd": "#059669"}

// draw makes a waterfall. Each reconcile is a trace of its own, and has a scale of its own.
func draw(began time.Time, reconciles []*collector.Span) string {
	slices.SortFunc(reconciles, func(a, b *collector.Span) int { return a.Begin().Compare(b.Begin()) })
	var b strings.Builder
	y := 30
	for _, reconcile := range reconciles {
		y += 10
		fmt.Fprintf(&b, "<text x='8' y='%d' class='h'>+%s after creation: reason %s, result %s, links %d, trace %s</text>\n", y+11,
			reconcile.Begin().Sub(began).Round(time.Millisecond), reconcile.Value(semconv.AttrReason), reconcile.Value(semconv.AttrResult), len(reconcile.Links), reconcile.Trace())
		y += rowHeight + 3
		scale := float64(barWidth) / float64(max(reconcile.Took(), 1))
		for _, r := range rows(reconcile, 0) {
			colour := cmp.Or(colours[r.Service], "#2563eb")
			name := r.Name
			if len(name) > 88-2*r.depth {
				name = name[:85-2*r.depth] + "…"
			}
			x := textWidth + float64(r.Begin().Sub(reconcile.Begin()))*scale
			fmt.Fprintf(&b, "<text x='%d' y='%d' fill='%s'>%s</text>\n", 8+10*r.depth, y+11, colour, html.EscapeString(name))
			width := max(1.5, float64(r.Took())*scale)
			fmt.Fprintf(&b, "<rect x='%.1f' y='%d' width='%.1f' height='%d' fill='%s'/>\n", x, y+2, width, rowHeight-4, colour)
			at, anchor := x+width+4, "start"
			if at > textWidth+barWidth-10 {
				at, anchor = x-4, "end"
				if x < textWidth+60 {
					at, anchor = x+width+4, "start"
				}
			}
			fmt.Fprintf(&b, "<text x='%.1f' y='%d' text-anchor='%s' class='t'>%s</text>\n", at, y+11, anchor, r.Took().Round(10*time.Microsecond))
			y += rowHeight
		}
	}
	legend := "<text x='8' y='18' class='h'>From the creation of a Flunder to ready. <tspan fill='#2563eb'>controller</tspan> <tspan fill='#d97706'>kube-apiserver</tspan> <tspan fill='#059669'>etcd</tspan>; each reconcile is a trace, drawn to a scale of its own</text>\n"
	return fmt.Sprintf("<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='ui-monospace,monospace' font-size='10'>\n"+
		"<style>.h{font-weight:bold;font-size:11px;fill:#111}.t{fill:#555;font-size:9px}</style><rect width='100%%' height='100%%' fill='white'/>\n%s%s</svg>\n",
		textWidth+barWidth+70, y+10, legend, b.String())
}
