// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"html"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
)

const (
	column    = 52 // of Grafana's 24, in pixels
	unit      = 34 // of Grafana's height
	step      = 500 * time.Millisecond
	rateRange = "4s" // scraped twice a second; with a real scrape interval Grafana chooses it
)

var palette = []string{"#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#be185d", "#65a30d", "#475569", "#b45309"}

type curve struct {
	name   string
	points []promql.FPoint
}

// draw makes a picture of all panels.
func draw(ctx context.Context, d *dashboard, r *recorded) (string, error) {
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 10_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Second})
	defer func() { _ = engine.Close() }() // nothing is kept
	var b strings.Builder
	height := 0
	for _, p := range d.Panels {
		height = max(height, (p.GridPos.Y+p.GridPos.H)*unit)
		x, y := p.GridPos.X*column, p.GridPos.Y*unit
		if p.Type == "row" {
			fmt.Fprintf(&b, "<text x='%d' y='%d' class='row'>%s</text>\n", x+6, y+22, html.EscapeString(p.Title))
			continue
		}
		var curves []curve
		for _, t := range p.Targets {
			found, err := query(ctx, engine, r, t)
			if err != nil {
				return "", fmt.Errorf("panel %q: %w", p.Title, err)
			}
			curves = append(curves, found...)
		}
		plot(&b, p, curves, r, x+4, y+4, p.GridPos.W*column-8, p.GridPos.H*unit-8)
	}
	return fmt.Sprintf("<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='system-ui,sans-serif' font-size='10'>\n"+
		"<style>.row{font-size:15px;font-weight:bold;fill:#111}.title{font-size:12px;font-weight:bold;fill:#333}.tick{fill:#666;font-size:9px}</style>\n"+
		"<rect width='100%%' height='100%%' fill='#f4f5f7'/>\n%s</svg>\n", 24*column, height+4, b.String()), nil
}

var variables = strings.NewReplacer("$__rate_interval", rateRange, "$controller", ".*")

func query(ctx context.Context, engine *promql.Engine, r *recorded, t target) ([]curve, error) {
	q, err := engine.NewRangeQuery(ctx, r, nil, variables.Replace(t.Expr), time.UnixMilli(r.start), time.UnixMilli(r.end), step)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	matrix, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Expr, err)
	}
	var curves []curve
	for _, s := range matrix {
		name := inLegend.ReplaceAllStringFunc(t.LegendFormat, func(ref string) string { return s.Metric.Get(strings.Trim(ref, "{} ")) })
		curves = append(curves, curve{name, append([]promql.FPoint(nil), s.Floats...)})
	}
	return curves, nil
}

var inLegend = regexp.MustCompile(`\{\{[^}]*\}\}`)

func plot(b *strings.Builder, p panel, curves []curve, r *recorded, x, y, w, h int) {
	fmt.Fprintf(b, "<rect x='%d' y='%d' width='%d' height='%d' fill='white' stroke='#ddd'/>\n<text x='%d' y='%d' class='title'>%s</text>\n",
		x, y, w, h, x+8, y+17, html.EscapeString(p.Title))
	most := 0.0
	for _, c := range curves {
		for _, point := range c.points {
			if !math.IsNaN(point.F) && !math.IsInf(point.F, 0) {
				most = max(most, point.F)
			}
		}
	}
	if most == 0 {
		most = 1
	}
	left, top, width, height := float64(x+44), float64(y+28), float64(w-56), float64(h-28-16-14*((len(curves)+1)/2))
	for i := range 3 {
		value := most * float64(i) / 2
		at := top + height*(1-float64(i)/2)
		fmt.Fprintf(b, "<path d='M%.1f %.1fh%.1f' stroke='#eee'/><text x='%.1f' y='%.1f' text-anchor='end' class='tick'>%s</text>\n",
			left, at, width, left-4, at+3, number(value, p.FieldConfig.Defaults.Unit))
	}
	seconds := float64(r.end-r.start) / 1000
	for i := range 5 {
		part := float64(i) / 4
		fmt.Fprintf(b, "<text x='%.1f' y='%.1f' text-anchor='middle' class='tick'>%.0f s</text>\n", left+part*width, top+height+11, part*seconds)
	}
	for i, c := range curves {
		colour := palette[i%len(palette)]
		var path strings.Builder
		pen := "M"
		for _, point := range c.points {
			if math.IsNaN(point.F) || math.IsInf(point.F, 0) {
				pen = "M"
				continue
			}
			fmt.Fprintf(&path, "%s%.1f %.1f", pen, left+width*float64(point.T-r.start)/float64(max(1, r.end-r.start)), top+height*(1-point.F/most))
			pen = "L"
		}
		fmt.Fprintf(b, "<path d='%s' fill='none' stroke='%s' stroke-width='1.3'/>\n", path.String(), colour)
		lx, ly := x+10+(i%2)*(w/2), int(top+height)+26+14*(i/2)
		fmt.Fprintf(b, "<rect x='%d' y='%d' width='8' height='3' fill='%s'/><text x='%d' y='%d' class='tick'>%s</text>\n", lx, ly-4, colour, lx+12, ly, html.EscapeString(c.name))
	}
}

func number(value float64, unit string) string {
	text := strconv.FormatFloat(value, 'g', 3, 64)
	switch {
	case unit == "s" && value < 1 && value > 0:
		return strconv.FormatFloat(value*1000, 'g', 3, 64) + " ms"
	case unit == "s":
		return text + " s"
	case unit == "ops", unit == "reqps":
		return text + "/s"
	}
	return text
}
