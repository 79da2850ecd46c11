// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// recorded is the series of a run. It is a storage for Prometheus's engine.
type recorded struct {
	series     map[string]*series
	names      []string // of series, in the order in which they came
	start, end int64    // Unix milliseconds
}

type series struct {
	labels  labels.Labels
	samples []chunks.Sample
}

// metricName is the label that Prometheus keeps a name in.
const metricName = "__name__"

type sample struct {
	at    int64
	value float64
}

func (s sample) T() int64                      { return s.at }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

var (
	line  = regexp.MustCompile(`(?m)^(\w+)(?:\{([^}]*)\})? (\S+)$`)
	label = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

func readRecord(path string) (*recorded, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r := &recorded{series: map[string]*series{}}
	for decoder := json.NewDecoder(file); ; {
		var scrape struct {
			At   int64
			Text string
		}
		switch err := decoder.Decode(&scrape); {
		case errors.Is(err, io.EOF):
			return r, nil
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if r.start == 0 {
			r.start = scrape.At
		}
		r.end = scrape.At
		if err := r.add(scrape.At, scrape.Text); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
}

func (r *recorded) add(at int64, text string) error {
	for _, match := range line.FindAllStringSubmatch(text, -1) {
		name := match[1] + "{" + match[2]
		s := r.series[name]
		if s == nil {
			all := []string{metricName, match[1]}
			for _, l := range label.FindAllStringSubmatch(match[2], -1) {
				all = append(all, l[1], l[2])
			}
			s = &series{labels: labels.FromStrings(all...)}
			r.series[name] = s
			r.names = append(r.names, name)
		}
		value, err := strconv.ParseFloat(match[3], 64)
		if err != nil {
			return err
		}
		s.samples = append(s.samples, sample{at, value})
	}
	return nil
}

// Querier is storage.Queryable.
func (r *recorded) Querier(_, _ int64) (storage.Querier, error) { return r, nil }

// Select returns the series that match.
func (r *recorded) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	set := &seriesSet{}
	for _, name := range r.names {
		s := r.series[name]
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
			set.all = append(set.all, storage.NewListSeries(s.labels, s.samples))
		}
	}
	slices.SortFunc(set.all, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return set
}

// LabelValues is not needed by queries.
func (r *recorded) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.ErrUnsupported
}

// LabelNames is not needed by queries.
func (r *recorded) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.ErrUnsupported
}

// Close has nothing to close.
func (r *recorded) Close() error { return nil }

type seriesSet struct {
	all []storage.Series
	at  int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at <= len(s.all) }
func (s *seriesSet) At() storage.Series                { return s.all[s.at-1] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }
