// SPDX-License-Identifier: Apache-2.0

package report

import (
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// colors are those of the programs, in their order, told apart also by those who do not see all colours.
var colors = []color.Color{
	color.RGBA{R: 0x99, G: 0x99, B: 0x99, A: 0xff},
	color.RGBA{R: 0xe6, G: 0x9f, B: 0x00, A: 0xff},
	color.RGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff},
	color.RGBA{R: 0x56, G: 0xb4, B: 0xe9, A: 0xff},
}

const (
	width  = 7 * vg.Inch
	height = 3.5 * vg.Inch
)

// legendRoom keeps names from their colours where the font is wider than the one that was measured.
const legendRoom = "        "

// halves has a tick at each half.
func halves(least, greatest float64) (ticks []plot.Tick) {
	for at := least; at <= greatest; at += 0.5 {
		ticks = append(ticks, plot.Tick{Value: at, Label: strconv.FormatFloat(at, 'f', 1, 64)})
	}
	return ticks
}

// Plots writes the pictures into a folder.
func Plots(dir string, programs []string, results []Result) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	cpu := []bar{
		{"W1", "CPU s until all are reconciled", "W1 start"},
		{"W2", "CPU s per 1,000 writes", "W2 write"},
		{"W8", "CPU s per 1,000 writes", "W8 custom resource"},
		{"W9", "CPU s per 1,000 writes", "W9 conflicts"},
	}
	allocs := []bar{
		{"W1", "allocations per reconcile", "W1 start"},
		{"W2", "allocations per write", "W2 write"},
		{"W8", "allocations per write", "W8 custom resource"},
		{"W9", "allocations per write", "W9 conflicts"},
	}
	draw := []func() error{
		func() error {
			return bars(filepath.Join(dir, "cpu.svg"), "CPU, as a multiple of bare client-go", cpu, programs, results)
		},
		func() error {
			return bars(filepath.Join(dir, "allocations.svg"), "Allocations, as a multiple of bare client-go", allocs, programs, results)
		},
		func() error {
			return distribution(filepath.Join(dir, "latency.svg"), "W3: from change to reconcile", "W3", "ms from change to reconcile", programs, results)
		},
		func() error {
			return distribution(filepath.Join(dir, "handover.svg"), "W6: from SIGTERM to the successor's first write", "W6", "ms after SIGTERM", programs, results)
		},
		func() error {
			return lines(filepath.Join(dir, "churn.svg"), "W7: memory under churn", "W7", "s", "MB resident", programs, results)
		},
	}
	for _, f := range draw {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// Shards draws what more replicas come to.
func Shards(dir string, results []Result) error {
	var programs []string
	for _, r := range results {
		programs = append(programs, r.Program)
	}
	return errors.Join(
		lines(filepath.Join(dir, "throughput.svg"), "Objects that all replicas reconcile together", "shards", "replicas", "objects a second", programs, results),
		lines(filepath.Join(dir, "received.svg"), "What each replica receives", "shards", "replicas", "MB received, of each", programs, results),
	)
}

type bar struct{ workload, figure, label string }

// bars draws medians of ratios.
func bars(path, title string, of []bar, programs []string, results []Result) error {
	p := plot.New()
	p.Title.Text, p.Y.Min, p.Legend.Top = title, 0, true
	p.Y.Label.Text, p.Y.Tick.Marker = "less is better", plot.TickerFunc(halves)
	var labels []string
	size := vg.Points(24)
	for i, program := range programs {
		var medians plotter.Values
		labels = nil
		for _, b := range of {
			labels = append(labels, b.label)
			ratios := Ratios(only(results, b.workload), b.figure, program, programs[0])
			medians = append(medians, Median(ratios))
		}
		chart, err := plotter.NewBarChart(medians, size)
		if err != nil {
			return err
		}
		chart.Color, chart.LineStyle.Width = colors[i%len(colors)], 0
		chart.Offset = size * vg.Length(float64(i)-float64(len(programs)-1)/2)
		p.Add(chart)
		p.Legend.Add(program+legendRoom, chart)
	}
	p.NominalX(labels...)
	p.Y.Max *= 1.25 // room for the legend
	return p.Save(width, height, path)
}

// distribution draws which part of all values is at most how great.
func distribution(path, title, workload, series string, programs []string, results []Result) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, series, "part of all"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	drawn := false
	for i, program := range programs {
		values := collect(only(results, workload), program, series)
		if len(values) == 0 {
			continue
		}
		slices.Sort(values)
		points := make(plotter.XYs, len(values))
		for j, v := range values {
			points[j] = plotter.XY{X: max(v, 1e-3), Y: float64(j+1) / float64(len(values))}
		}
		if err := addLine(p, program, i, points); err != nil {
			return err
		}
		drawn = true
	}
	if !drawn {
		return nil
	}
	return p.Save(width, height, path)
}

// lines draws the values of a series over what x names.
func lines(path, title, workload, x, series string, programs []string, results []Result) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text, p.Y.Min = title, x, series, 0
	drawn := false
	for i, program := range programs {
		for _, r := range only(results, workload) {
			for _, s := range r.Series {
				if r.Program != program || s.Name != series || len(s.Y) == 0 {
					continue
				}
				points := make(plotter.XYs, len(s.Y))
				for j := range s.Y {
					points[j] = plotter.XY{X: s.X[j], Y: s.Y[j]}
				}
				if err := addLine(p, program, i, points); err != nil {
					return err
				}
				drawn = true
			}
		}
	}
	if !drawn {
		return nil
	}
	p.Y.Max *= 1.2
	return p.Save(width, height, path)
}

func addLine(p *plot.Plot, program string, i int, points plotter.XYs) error {
	line, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	line.Color, line.Width = colors[i%len(colors)], vg.Points(1.5)
	p.Add(line)
	p.Legend.Add(program+legendRoom, line)
	return nil
}

func only(results []Result, workload string) (of []Result) {
	for _, r := range results {
		if r.Workload == workload {
			of = append(of, r)
		}
	}
	return of
}

func collect(results []Result, program, series string) (values []float64) {
	for _, r := range results {
		for _, s := range r.Series {
			if r.Program == program && s.Name == series {
				values = append(values, s.Y...)
			}
		}
	}
	return values
}
