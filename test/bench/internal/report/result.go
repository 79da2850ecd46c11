// SPDX-License-Identifier: Apache-2.0

// Package report keeps the results of runs, and makes tables and pictures of them.
package report

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"time"
)

// Result is what one run of one program in one workload came to.
type Result struct {
	Time     time.Time `json:"time"`
	Workload string    `json:"workload"`
	Program  string    `json:"program"`
	Round    int       `json:"round"`
	Figures  []Figure  `json:"figures,omitempty"`
	Series   []Series  `json:"series,omitempty"`
	// Missing says why there is nothing.
	Missing string `json:"missing,omitempty"`
}

// Figure is one number. Less is better unless the name says otherwise.
type Figure struct {
	Name  string  `json:"name"` // with the unit
	Value float64 `json:"value"`
	Bare  bool    `json:"bare,omitempty"` // a ratio to the bare program says nothing
}

// Series are the single values behind a figure.
type Series struct {
	Name string    `json:"name"`
	X    []float64 `json:"x,omitempty"` // when Y are measured over something
	Y    []float64 `json:"y"`
}

// Add adds a figure.
func (r *Result) Add(name string, value float64) {
	r.Figures = append(r.Figures, Figure{Name: name, Value: value})
}

// Note adds a figure that is not compared.
func (r *Result) Note(name string, value float64) {
	r.Figures = append(r.Figures, Figure{Name: name, Value: value, Bare: true})
}

// Percentiles adds figures of the distribution of values, and keeps the values.
func (r *Result) Percentiles(name string, values []float64) {
	slices.Sort(values)
	r.Add(name+", p50", Percentile(values, 50))
	r.Add(name+", p99", Percentile(values, 99))
	r.Series = append(r.Series, Series{Name: name, Y: values})
}

// Values adds the median and the greatest of a few values, and keeps them.
func (r *Result) Values(name string, values []float64) {
	if r.Add(name+", median", Median(values)); len(values) > 1 {
		r.Add(name+", longest", slices.Max(values))
	}
	r.Series = append(r.Series, Series{Name: name, Y: values})
}

// Percentile is the least value of a sorted list that p in a hundred do not exceed; 0 of an empty list.
func Percentile(sorted []float64, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// Median is the middle one, or the mean of the two in the middle.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// File is where results are kept, one JSON object per line.
type File struct{ file *os.File }

// Create makes the file, or empties it.
func Create(path string) (*File, error) {
	file, err := os.Create(path)
	return &File{file}, err
}

// Write adds a result.
func (f *File) Write(r Result) error { return json.NewEncoder(f.file).Encode(r) }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Load reads a file of results.
func Load(path string) ([]Result, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var results []Result
	decoder := json.NewDecoder(bufio.NewReader(file))
	for decoder.More() {
		var r Result
		if err := decoder.Decode(&r); err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}
